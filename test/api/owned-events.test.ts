import { describe, expect, it } from 'vitest';
import type { Json } from '../helpers/api-call.ts';
import { rowsHolding } from '../helpers/api-caller.ts';
import { event, task, useBoundKeys, webhook } from '../helpers/bound-keys.ts';
import { seedOperator } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';

describe('an event with an owner', () => {
  const tables = useTables();
  const { call, callOk, account, fanOut } = useBoundKeys(tables);

  /** Registers a webhook for each owner (null = the account), publishes an event, and returns the owners that got it. */
  const receiversOf = async (owners: readonly (string | null)[], published: object, events = ['task.accepted']) => {
    const own = await account();
    const byWebhook = new Map<string, string | null>();
    for (const owner of owners) {
      byWebhook.set((await callOk('POST', '/webhooks', own, { body: { ...webhook, events, owner } })).id, owner);
    }
    const { id } = await callOk('POST', '/events', own, { body: { ...event, ...published } });
    const deliveries = await fanOut(id);
    return deliveries
      .map((delivery) => [...byWebhook].find(([whk]) => delivery.includes(whk.slice(4)))?.[1])
      .toSorted();
  };

  it.each([
    ['null', null, [null]],
    ['a', 'a', ['a', null]],
    ['b', 'b', ['b', null]],
    ['c, who has no webhook,', 'c', [null]],
  ])(
    'of the owner %s reaches the webhooks of this owner and those without one, and no other',
    async (_, owner, expected) => {
      for (const events of [['task.accepted'], ['*']]) {
        expect(await receiversOf([null, 'a', 'b'], { owner }, events)).toEqual(expected.toSorted());
      }
    },
  );

  const hostile = [
    'a#b',
    '#',
    'routing',
    'routing#a',
    'a|b',
    '*',
    'live',
    'acc_1#live',
    ' ',
    'ø',
    '🔑'.repeat(64),
    'x'.repeat(128),
  ];
  it.each(hostile.map((owner) => [JSON.stringify(owner.slice(0, 20)), owner]))(
    'of the owner %s reaches only the webhook of exactly this owner',
    async (_, owner) => {
      const others = hostile.filter((each) => each !== owner);

      expect(await receiversOf([...others.slice(0, 8), owner], { owner })).toEqual([owner]);
    },
  );

  it.each([
    ['an empty owner', ''],
    ['an owner of 129 characters', 'x'.repeat(129)],
    ['a number', 7],
  ])('with %s is refused with 422 at owner; so are a task, a webhook and a key', async (_, owner) => {
    const own = await account();
    for (const [path, body] of [
      ['/events', { ...event, owner }],
      ['/tasks', { ...task, owner }],
      ['/webhooks', { ...webhook, owner }],
      ['/keys', { name: 'k', scopes: ['events:read'], owner }],
    ] as const) {
      expect(await call('POST', path, own, { body })).toMatchObject({
        status: 422,
        json: { errors: [{ path: 'owner' }] },
      });
    }
  });

  it('is the event of each move of a task with this owner', async () => {
    const own = await account();
    const { id, owner } = await callOk('POST', '/tasks', own, { body: { ...task, owner: 'a' } });
    await callOk('POST', `/tasks/${id}/accept`, own);
    const [row] = await rowsHolding(tables, tables.domainTable, id);
    const webhooks = await Promise.all(
      ['a', 'b'].map((each) => callOk('POST', '/webhooks', own, { body: { ...webhook, owner: each } })),
    );

    const tickets = await fanOutOf(row);

    expect(owner).toBe('a');
    expect(tickets.map(({ deliveryId }) => deliveryId.slice(-26))).toEqual([webhooks[0]?.id.slice(4)]);
    const [stored] = (await callOk('GET', '/events', own)).data;
    expect([stored.type, stored.owner, stored.data.task.owner]).toEqual(['task.accepted', 'a', 'a']);
  });
  const fanOutOf = async (row: Record<string, unknown> | undefined) =>
    (await import('../helpers/fanned-out.ts')).fanOutRow(tables, row);

  it('is replayed only to webhooks that may receive it: 422 for the webhook of another owner, also by a key of the account', async () => {
    const own = await account();
    const [mine, other, platform] = await Promise.all(
      ['a', 'b', null].map((owner) => callOk('POST', '/webhooks', own, { body: { ...webhook, owner } })),
    );
    const { id } = await callOk('POST', '/events', own, { body: { ...event, owner: 'a' } });
    const replay = (body: object) => call('POST', `/events/${id}/replay`, own, { body });

    const all = await replay({});
    const toOther = await replay({ webhook_id: other?.id });

    const webhookIds = all.json.delivery_ids.map((delivery: string) => `whk_${delivery.slice(-26)}`);
    expect(webhookIds.toSorted()).toEqual([mine?.id, platform?.id].toSorted());
    expect(toOther).toMatchObject({ status: 422, json: { errors: [{ path: 'webhook_id', code: 'other_owner' }] } });
    expect((await replay({ webhook_id: platform?.id })).status).toBe(202);
  });

  it('is also the test event of a webhook of the owner', async () => {
    const own = await account();
    const { id } = await callOk('POST', '/webhooks', own, { body: { ...webhook, owner: 'a' } });

    const { event_id } = await callOk('POST', `/webhooks/${id}/test`, own, { body: {} });

    expect((await callOk('GET', `/events/${event_id}`, own)).owner).toBe('a');
  });

  it('a webhook with an owner is refused another owner by PATCH, and options that sign with a key of the account', async () => {
    const own = await account();
    const { id } = await callOk('POST', '/webhooks', own, { body: { ...webhook, owner: 'a', profile: 'inpost' } });
    const digital = { profile_options: { mechanism: 'digital' } };

    const moved = await call('PATCH', `/webhooks/${id}`, own, { body: { owner: 'b' } });
    const signed = await call('PATCH', `/webhooks/${id}`, own, { body: digital });
    const created = await call('POST', '/webhooks', own, {
      body: { ...webhook, owner: 'a', profile: 'passcreator', profile_options: { signPayload: true } },
    });

    expect(moved).toMatchObject({ status: 422, json: { errors: [{ path: 'owner' }] } });
    for (const refused of [signed, created]) {
      expect(refused).toMatchObject({
        status: 422,
        json: { errors: [{ path: 'profile_options', code: 'account_key' }] },
      });
    }
    expect((await callOk('GET', `/webhooks/${id}`, own)).owner).toBe('a');
    expect(
      (await callOk('POST', '/webhooks', own, { body: { ...webhook, profile: 'inpost', ...digital } })).owner,
    ).toBeNull();
  });

  it('is published for an account by an operator with account, in the mode live; 422 without account, for an unknown account and for another account', async () => {
    const own = await account();
    const operator = { accountId: '', owner: '', key: await seedOperator(tables) };
    const as = (caller: typeof own, query: string) =>
      call('POST', '/events', caller, { query, body: { ...event, owner: 'a' } });

    const published = await as(operator, `account=${own.accountId}`);

    expect(published.status).toBe(202);
    const stored = await callOk('GET', `/events/${published.json.id}`, own);
    expect([stored.type, stored.owner]).toEqual(['task.accepted', 'a']);
    const refused = [
      await as(operator, ''),
      await as(operator, 'account=acc_01JDB6Q80000000000000000AA'),
      await as(own, `account=${(await account()).accountId}`),
    ];
    expect(refused.map(({ status, json }: Json) => [status, json.errors[0].path])).toEqual(
      Array(3).fill([422, 'account']),
    );
    expect((await as(own, `account=${own.accountId}`)).status).toBe(202);
  });
});
