import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { describe, expect, it } from 'vitest';
import { webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { SealedSecret } from '../../lambdas/domain/webhooks/webhook.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';
import { useWebhooksApi } from '../helpers/webhooks-api.ts';

const HOUR = 3_600_000;

describe('POST /webhooks/{id}/rotate-secret', () => {
  const tables = useTables();
  const { api, keyring, current, create, get, remove, rowAt, routesOf } = useWebhooksApi(tables);

  const rotate = (id: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    api('POST', `/webhooks/${id}/rotate-secret`, current.caller, { body, headers });
  const secretsOf = async (id: string): Promise<readonly SealedSecret[]> =>
    (await rowAt(webhookKey(current.caller.owner, id)))?.secrets;
  const open = async ({ sealed }: SealedSecret): Promise<string> => {
    const { plaintext } = await compactDecrypt(sealed, { ...keyring.sealing[0]?.jwk });
    return Buffer.from(plaintext).toString();
  };

  it('answers 200 with a new secret and the time at which the previous secret expires; GET does not show the new secret', async () => {
    const { id, secret: before } = await create();

    const { status, json } = await rotate(id, { overlap_seconds: 3600 });

    const secrets = await secretsOf(id);
    expect(status).toBe(200);
    expect(json).toEqual({ secret: expect.stringMatching(/^whsec_/), previous_expires_at: expect.any(String) });
    expect(await Promise.all(secrets.map(open))).toEqual([json.secret, before]);
    expect(secrets[0]?.expires_at).toBeFalsy();
    expect(secrets[1]?.expires_at).toBe(Date.parse(json.previous_expires_at));
    expect(JSON.stringify((await get(id)).json)).not.toContain(json.secret);
  });

  it('without a body, lets the previous secret expire after 24 hours', async () => {
    const { id } = await create();
    const startMs = Date.now();

    const { json } = await rotate(id);

    const overlapMs = Date.parse(json.previous_expires_at) - startMs;
    expect(overlapMs).toBeGreaterThanOrEqual(24 * HOUR);
    expect(overlapMs).toBeLessThan(24 * HOUR + 5000);
  });

  it('accepts the secret my-own-secret for a passpost webhook, and answers 422 to this secret for a standard webhook', async () => {
    const passpost = await create();
    const standard = await create({ profile: 'standard' });

    const { json } = await rotate(passpost.id, { secret: 'my-own-secret' });
    const wrong = await rotate(standard.id, { secret: 'my-own-secret' });

    expect(json.secret).toBe('my-own-secret');
    expect([wrong.status, wrong.json.errors[0].path]).toEqual([422, 'secret']);
    expect(await secretsOf(standard.id)).toHaveLength(1);
  });

  it('lets both older secrets expire at the end of the newest overlap, and removes all older secrets when the overlap is 0', async () => {
    const { id } = await create();
    const first = await rotate(id, { overlap_seconds: 7200 });

    const second = await rotate(id, { overlap_seconds: 60 });

    const expiryTimes = (await secretsOf(id)).map(({ expires_at }) => expires_at ?? null);
    const end = Date.parse(second.json.previous_expires_at);
    expect(expiryTimes).toEqual([null, end, end]);
    expect(Date.parse(first.json.previous_expires_at)).toBeGreaterThan(end);

    await rotate(id, { overlap_seconds: 0 });

    expect(await secretsOf(id)).toHaveLength(1);
  });

  it('answers 409 when five secrets are still valid, and 200 when the overlap_seconds of the call is 0', async () => {
    const { id } = await create();
    for (let i = 0; i < 4; i++) expect((await rotate(id)).status).toBe(200);

    const refused = await rotate(id);

    expect([refused.status, refused.json.type]).toEqual([409, '/problems/conflict']);
    expect((await rotate(id, { overlap_seconds: 0 })).status).toBe(200);
  });

  it('answers 200 to three simultaneous calls with one Idempotency-Key, rotates once, and only one answer has the new secret', async () => {
    const { id } = await create();
    const key = { 'idempotency-key': 'rotate-1' };

    const answers = await Promise.all([rotate(id, {}, key), rotate(id, {}, key), rotate(id, {}, key)]);

    const withSecret = answers.filter(({ json }) => json.secret !== undefined);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(withSecret).toHaveLength(1);
    expect(new Set(answers.map(({ json }) => json.previous_expires_at)).size).toBe(1);
    expect(await secretsOf(id)).toHaveLength(2);
    const replayed = await rotate(id, {}, key);
    expect(replayed.headers['idempotency-replayed']).toBe('true');
    expect(replayed.json).toEqual({ previous_expires_at: withSecret[0]?.json.previous_expires_at });
    expect((await rotate(id, { overlap_seconds: 1 }, key)).status).toBe(422);
  });

  it('stores the secrets of three simultaneous rotations and leaves the routes unchanged', async () => {
    const { id } = await create();

    const answers = await Promise.all([1, 2, 3].map(() => rotate(id)));

    const opened = await Promise.all((await secretsOf(id)).map(open));
    for (const { json } of answers) expect(opened).toContain(json.secret);
    expect(await routesOf('task.accepted')).toEqual([`${id}|`]);
  });

  it.each([
    ['a negative overlap_seconds', 'overlap_seconds', { overlap_seconds: -1 }],
    ['a fractional overlap_seconds', 'overlap_seconds', { overlap_seconds: 1.5 }],
    ['an overlap_seconds of 15 days', 'overlap_seconds', { overlap_seconds: 15 * 86_400 }],
    ['a secret of 5 characters', 'secret', { secret: 'short' }],
    ['an unknown field', 'colour', { colour: 'red' }],
  ])('answers 422 to %s, and the first error names the field %s', async (_, path, body) => {
    const { id } = await create();

    const { status, json } = await rotate(id, body);

    expect([status, json.errors[0].path]).toEqual([422, path]);
  });

  it('answers 404 for a webhook of another account, a deleted webhook and a malformed id', async () => {
    const firstCaller = current.caller;
    const { id } = await create();
    current.caller = await aCaller(tables);
    const foreign = await rotate(id);
    current.caller = firstCaller;
    await remove(id);

    expect([foreign.status, (await rotate(id)).status, (await rotate('whk_1')).status]).toEqual([404, 404, 404]);
  });
});
