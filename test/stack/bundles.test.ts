import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { useWholeStack } from '../helpers/whole-stack.ts';

const textOf = (path: string): string => readFileSync(path, 'utf8');

/** All the code of a bundle. */
const wholeOf = (module: string): string => {
  const folder = dirname(fileURLToPath(module));
  return readdirSync(folder)
    .map((name) => textOf(join(folder, name)))
    .join('\n');
};

/** What of it importing it reads: its file, and those that it imports at once. */
const startOf = (module: string): string => {
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
    ['the checker of schemas', 'ajv/dist/runtime'],
    ['the writer of metrics', 'POWERTOOLS_METRICS_NAMESPACE'],
    ['how credentials are found elsewhere than in Lambda', 'AWS_ROLE_ARN'],
    // An import of it, in place of a require, draws in undici.
    ['all members of http', 'from"node:http"'],
  ])('start without %s', (_, mark) => {
    const modules = whole.stack.functionNames.map((name) => whole.stack.definitionOf(name).module);

    expect(modules.filter((module) => wholeOf(module).includes(mark))).not.toEqual([]);
    expect(modules.filter((module) => startOf(module).includes(mark))).toEqual([]);
  });

  it('load the checker of schemas where an event needs it', async () => {
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
