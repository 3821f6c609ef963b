import { describe, expect, it } from 'vitest';
import { webhookCountKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { aCaller, useApi } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';
import { minimalWebhook, useWebhooksApi } from '../helpers/webhooks-api.ts';

const { url } = minimalWebhook;
const elsewhere = 'https://93.184.215.15/hook';
const refusal = {
  status: 409,
  json: { type: '/problems/too_many_webhooks', errors: [{ path: 'url', code: 'too_many_webhooks' }] },
};

describe('several webhooks of an account with the same URL', () => {
  const tables = useTables();
  const { api, current, post, create, patch, get, remove, rowAt, setAttribute } = useWebhooksApi(tables);
  const passmint = useApi(tables, 'passmint-api', '/v1');
  const passcreator = useApi(tables, 'passcreator-api', '/api/hook');
  const createTen = () => Promise.all(Array.from({ length: 10 }, () => create()));
  const countRow = () => rowAt(webhookCountKey(current.caller.owner));

  it.each([
    ['with the same URL', url],
    ['with another fragment', `${url}#2`],
    ['with the scheme in upper case', url.replace('https', 'HTTPS')],
  ])(
    'POST /webhooks answers 409 too_many_webhooks to the eleventh %s, and 201 with another query',
    async (_, eleventh) => {
      await createTen();

      const refused = await post({ ...minimalWebhook, url: eleventh });
      const other = await post({ ...minimalWebhook, url: `${url}?a=b` });

      expect(refused).toMatchObject(refusal);
      expect(other.status).toBe(201);
    },
  );

  it('POST /webhooks answers 201 to exactly 10 of 14 simultaneous calls, and the row of the count has 10 webhooks', async () => {
    const answers = await Promise.all(Array.from({ length: 14 }, () => post(minimalWebhook)));

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect((await countRow())?.n).toBe(10);
  });

  it('PATCH /webhooks/{id} answers 409 too_many_webhooks to the URL of ten webhooks, changes nothing, and answers 200 after one is deleted', async () => {
    const [first] = await createTen();
    const { id } = await create({ url: elsewhere });

    const refused = await patch(id, { url });
    const unchanged = await get(id);
    await remove(first.id);
    const moved = await patch(id, { url });

    expect(refused).toMatchObject(refusal);
    expect(unchanged.json.url).toBe(elsewhere);
    expect(moved.status).toBe(200);
    expect(await post(minimalWebhook)).toMatchObject(refusal);
  });

  it('a webhook that changes to another URL makes room for another webhook, and after the deletion of all webhooks the row that counts them has no URL', async () => {
    const webhooks = await createTen();
    await patch(webhooks[0].id, { url: elsewhere });
    const next = await post(minimalWebhook);

    for (const { id } of [...webhooks, next.json]) await remove(id);

    expect(next.status).toBe(201);
    expect(Object.keys((await countRow()) ?? {}).filter((name) => name.startsWith('u_'))).toEqual([]);
  });

  it('POST /webhooks answers 201 for the same URL in the other mode and in another account', async () => {
    await createTen();
    const testMode = await aCaller(tables, { accountId: current.caller.accountId, mode: 'test' });

    for (const caller of [testMode, await aCaller(tables)]) {
      expect(await api('POST', '/webhooks', caller, { body: minimalWebhook })).toMatchObject({ status: 201 });
    }
  });

  it('POST /webhooks answers 409 conflict, not too_many_webhooks, when the account has 1,000 webhooks', async () => {
    await create();
    await setAttribute(webhookCountKey(current.caller.owner), 'n', 1000);

    expect(await post(minimalWebhook)).toMatchObject({ status: 409, json: { type: '/problems/conflict' } });
  });

  it("PassMint's POST /v1/webhooks and Passcreator's subscribe answer 409 to the eleventh webhook with the URL", async () => {
    await createTen();

    const minted = await passmint('POST', '/webhooks', current.caller, { body: { url, events: ['pass.voided'] } });
    const subscribed = await passcreator('POST', '/subscribe', current.caller, {
      body: { target_url: url, event: 'pass_created' },
      headers: { authorization: current.caller.key },
    });

    expect([minted.status, subscribed.status]).toEqual([409, 409]);
  });
});
