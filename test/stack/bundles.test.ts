import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { useWholeStack } from '../helpers/whole-stack.ts';

const textOf = (path: string): string => readFileSync(path, 'utf8');

/** The code of all files of a bundle. */
const allCodeOf = (module: string): string => {
  const folder = dirname(fileURLToPath(module));
  return readdirSync(folder)
    .map((name) => textOf(join(folder, name)))
    .join('\n');
};

/** The code that is read when the bundle is imported: its main file and all statically imported files. */
const startCodeOf = (module: string): string => {
  const seen = new Map<string, string>();
  const read = (path: string): void => {
    if (seen.has(path)) return;
    const text = textOf(path);
    seen.set(path, text);
    for (const [, name = ''] of text.matchAll(/(?:from|import)"(\.\/[^"]+\.mjs)"/g)) read(join(dirname(path), name));
  };
  read(fileURLToPath(module));
  return [...seen.values()].join('\n');
};

describe('the functions’ bundles', () => {
  const whole = useWholeStack({});

  it.each([
    ['the JSON schema validator', 'ajv/dist/runtime'],
    ['the metrics library', 'POWERTOOLS_METRICS_NAMESPACE'],
    ['the credential providers that Lambda does not need', 'AWS_ROLE_ARN'],
    // An import of http, unlike a require, also loads undici.
    ['Node’s complete http module', 'from"node:http"'],
  ])(
    'run no code of %s at a cold start: at least one bundle has this code, but only in files that are loaded later',
    (_, mark) => {
      const modules = whole.stack.functionNames.map((name) => whole.stack.definitionOf(name).module);

      expect(modules.filter((module) => allCodeOf(module).includes(mark))).not.toEqual([]);
      expect(modules.filter((module) => startCodeOf(module).includes(mark))).toEqual([]);
    },
  );

  it('check an event against the schema of its type: POST /events answers 422 to data that breaks it and 202 to data that fits', async () => {
    const client = await whole.newClient();
    const schema = { type: 'object', required: ['amount'] };
    await client.call('PUT', '/event-types/order.paid', { description: 'An order was paid', schema });

    const answers = [
      await client.call('POST', '/events', { type: 'order.paid', data: {} }),
      await client.call('POST', '/events', { type: 'order.paid', data: { amount: 7 } }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([422, 202]);
  });
});
