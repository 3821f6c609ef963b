import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { commandSchema } from '../../../lambdas/domain/deliveries/command.ts';

const folder = new URL('../../../lambdas/domain/', import.meta.url);
const modules = await Promise.all(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => import(new URL(name, folder).href) as Promise<Record<string, z.ZodObject>>),
);
const stored = modules.flatMap((exported) =>
  Object.entries(exported).filter(([name]) => /^stored[A-Z]\w*Schema$/.test(name)),
);

describe('the row version `v`', () => {
  test('is tested for all eleven stored…Schema exports of lambdas/domain', () => {
    expect(stored.map(([name]) => name).toSorted()).toEqual([
      'storedAccountSchema',
      'storedApiKeySchema',
      'storedDeliverySchema',
      'storedEventSchema',
      'storedEventTypeSchema',
      'storedJobSchema',
      'storedOperatorSchema',
      'storedSigningKeysSchema',
      'storedTaskSchema',
      'storedTemplateSchema',
      'storedWebhookSchema',
    ]);
  });

  test.each(stored)('%s accepts a row without v and a row with v 1, and rejects v 2', (_, schema) => {
    const version = schema.pick({ v: true });

    expect(version.parse({})).toEqual({});
    expect(version.parse({ v: 1 })).toEqual({ v: 1 });
    expect(() => version.parse({ v: 2 })).toThrow(/"v"/);
  });

  test('commandSchema accepts a release command without v and rejects a release command with v 2', () => {
    const release = { id: 'c', owner: 'acc_1#live', type: 'release', webhook_id: 'whk_1' };

    expect(commandSchema.parse(release)).toEqual(release);
    expect(() => commandSchema.parse({ ...release, v: 2 })).toThrow(/"v"/);
  });
});
