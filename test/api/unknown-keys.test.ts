import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { drawApiKey } from '../../lambdas/domain/accounts/api-key.ts';
import { useApi } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';

/** A path of each API function that authenticates its callers, under the function's name. */
const paths: Readonly<Record<string, string>> = {
  'accounts-api': '/api/public/v1/accounts',
  'audit-api': '/api/public/v1/audit',
  'catalogue-api': '/api/public/v1/event-types',
  'deliveries-api': '/api/public/v1/webhooks/whk_01KA8Z3M9Q4T7V2X5B8D1F6H0J/deliveries',
  'events-api': '/api/public/v1/events',
  'jobs-api': '/api/public/v1/jobs',
  'keys-api': '/api/public/v1/keys',
  'passcreator-api': '/api/hook/list',
  'passmint-api': '/v1/webhooks',
  'tasks-api': '/api/public/v1/tasks',
  'webhooks-api': '/api/public/v1/webhooks',
};

describe('an API function', () => {
  const tables = useTables();
  const apis = new Map(Object.keys(paths).map((name) => [name, useApi(tables, name, '')]));

  /** Returns the status of a call with this key, and the AWS calls in its log line. */
  const callWith = async (name: string, key: string) => {
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const headers = name === 'passcreator-api' ? { authorization: key } : {};
    const answer = await apis.get(name)?.('GET', paths[name] ?? '', { key, accountId: '', owner: '' }, { headers });
    const lines = out.mock.calls.map(([line]) => String(line));
    out.mockRestore();
    const { aws } = JSON.parse(lines.find((line) => line.includes('request.answered')) ?? '{}');
    return { status: answer?.status, calls: aws?.calls ?? {} };
  };

  it('that creates a key authenticator is one of those that this file calls', () => {
    const folder = new URL('../../lambdas/functions/', import.meta.url);
    const authenticating = readdirSync(folder).filter((file) =>
      readFileSync(new URL(file, folder), 'utf8').includes('createKeyAuthenticator'),
    );

    expect(authenticating.map((file) => file.replace('.ts', '')).toSorted()).toEqual(Object.keys(paths));
  });

  it.each(Object.keys(paths))(
    '(%s) answers 401 to a key with a wrong checksum without a call of AWS, and to an unknown key with one read, then with none',
    async (name) => {
      const { key } = drawApiKey('live');
      const wrong = `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`;

      expect(await callWith(name, wrong)).toEqual({ status: 401, calls: {} });
      expect(await callWith(name, key)).toEqual({ status: 401, calls: { 'dynamodb.GetItem': 1 } });
      expect(await callWith(name, key)).toEqual({ status: 401, calls: {} });
    },
  );
});
