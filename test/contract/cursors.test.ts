import { describe, expect, test } from 'vitest';
import { operations } from '../../lambdas/contract/index.ts';
import { listPassmintDeliveries, listPassmintWebhooks } from '../../lambdas/contract/passmint.ts';
import type { Mode } from '../../lambdas/domain/foundation/owner.ts';
import { pageToBody } from '../../lambdas/domain/foundation/page.ts';
import { httpHandler } from '../../lambdas/runtime/http.ts';
import { type Operation, route } from '../../lambdas/runtime/operation.ts';
import { callApi } from '../helpers/api-call.ts';
import { caller, key, quota } from '../helpers/things-api.ts';

const ULID = '01KA8Z3M9Q4T7V2X5B8D1F6H0J';
const lists = [...operations, listPassmintWebhooks, listPassmintDeliveries].filter(
  (operation: Operation) => operation.query && 'cursor' in operation.query.shape,
);

/** The prefix of the ids that a list's cursor accepts; `null` for a list of names. */
const prefixOf = ({ id }: Operation): string =>
  Object.entries({
    task: 'tsk',
    deliver: 'dlv',
    job: 'job',
    key: 'key',
    account: 'acc',
    audit: 'aud',
    webhook: 'whk',
  }).find(([word]) => id.toLowerCase().includes(word))?.[1] ?? 'evt';

/** A request of a list, by an owner. */
interface Reader {
  readonly accountId?: string;
  readonly mode?: Mode;
  readonly query?: string;
  readonly path?: string;
}

/** A handler whose routes answer an empty page that has a next one. */
const readerOf = (operation: Operation) => {
  const id = `${prefixOf(operation)}_${ULID}${prefixOf(operation) === 'dlv' ? ULID : ''}`;
  const perform = async ({ cursorScope }: { readonly cursorScope: string }) => ({
    status: 200,
    body: pageToBody({ items: [], next: { at: '2026-11-16T09:30:00.000Z', id } }, () => null, cursorScope),
  });
  return ({ accountId = 'acc_1', mode = 'live', query = '', path = operation.path }: Reader) => {
    const scopes = operation.scope === null ? [] : [operation.scope];
    const authenticate = async () => ({
      outcome: 'passed' as const,
      quota,
      caller: { ...caller, scopes, mode, accountId: operation.scope === 'admin' ? null : accountId },
    });
    const handler = httpHandler([route(operation, perform)], { surface: 'native', authenticate });
    return callApi(handler, 'GET', path.replace('{id}', `whk_${ULID}`), { key, query });
  };
};

/** A filter of the list, as a query; '' for a list without filters. */
const filterOf = ({ query }: Operation): string => {
  const names = Object.keys(query?.shape ?? {});
  if (names.includes('since')) return 'since=2026-11-16T09:30:00Z';
  const name = names.find((one) => one === 'external_reference') ?? names.find((one) => one === 'status');
  return name ? `${name}=pending` : '';
};

describe('a cursor', () => {
  test.each(lists.map((operation) => [operation.id, operation] as const))(
    'of %s is valid with the filter and owner of its list, also with another limit, and 422 elsewhere or altered',
    async (_, operation) => {
      const read = readerOf(operation);
      const filter = filterOf(operation);
      const first = await read({ query: filter });
      const cursor: string = first.json.next_cursor;
      const statusOf = async (reader: Reader) => (await read(reader)).status;
      const next = `${filter}&cursor=${cursor}`;
      const altered = [...cursor].map(
        (letter, index) => cursor.slice(0, index) + (letter === 'A' ? 'B' : 'A') + cursor.slice(index + 1),
      );

      expect(await statusOf({ query: next })).toBe(200);
      expect(await statusOf({ query: `${next}&limit=7` })).toBe(200);
      if (filter !== '') expect(await statusOf({ query: `cursor=${cursor}` })).toBe(422);
      if (operation.scope !== 'admin') expect(await statusOf({ query: next, accountId: 'acc_2' })).toBe(422);
      // API keys and the audit are the account's, in both modes.
      const isOfAccount = ['admin', 'keys:read', 'audit:read'].includes(operation.scope ?? '');
      expect(await statusOf({ query: next, mode: 'test' })).toBe(isOfAccount ? 200 : 422);
      if (operation.path.includes('{id}')) {
        expect(
          await statusOf({ query: next, path: operation.path.replace('{id}', `whk_${ULID.replace('01', '02')}`) }),
        ).toBe(422);
      }
      const answers = await Promise.all(altered.map((text) => read({ query: `${filter}&cursor=${text}` })));
      expect(answers.map(({ status }) => status)).toEqual(altered.map(() => 422));
      expect(answers.map(({ json }) => json.errors[0].path)).toEqual(altered.map(() => 'cursor'));
    },
  );

  test('of one list is 422 in every other list', async () => {
    const cursors = await Promise.all(lists.map(async (operation) => (await readerOf(operation)({})).json.next_cursor));

    for (const [index, operation] of lists.entries()) {
      const answers = await Promise.all(cursors.map((cursor) => readerOf(operation)({ query: `cursor=${cursor}` })));

      expect(answers.map(({ status }) => status)).toEqual(cursors.map((__, other) => (other === index ? 200 : 422)));
    }
  });
});
