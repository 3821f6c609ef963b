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
  const { api, keyring, current, create, get, remove, rowAt, wanting } = useWebhooksApi(tables);

  const rotate = (id: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    api('POST', `/webhooks/${id}/rotate-secret`, current.me, { body, headers });
  const secretsOf = async (id: string): Promise<readonly SealedSecret[]> =>
    (await rowAt(webhookKey(current.me.owner, id)))?.secrets;
  const open = async ({ sealed }: SealedSecret): Promise<string> => {
    const { plaintext } = await compactDecrypt(sealed, { ...keyring.sealing[0]?.jwk });
    return Buffer.from(plaintext).toString();
  };

  it('answers the new secret this once, and until when the one before lives', async () => {
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

  it('overlaps for a day by default, without a body, too', async () => {
    const { id } = await create();
    const startMs = Date.now();

    const { json } = await rotate(id);

    const overlapMs = Date.parse(json.previous_expires_at) - startMs;
    expect(overlapMs).toBeGreaterThanOrEqual(24 * HOUR);
    expect(overlapMs).toBeLessThan(24 * HOUR + 5000);
  });

  it('takes an own secret in the form of the profile', async () => {
    const text = await create();
    const standard = await create({ profile: 'standard' });

    const { json } = await rotate(text.id, { secret: 'my-own-secret' });
    const wrong = await rotate(standard.id, { secret: 'my-own-secret' });

    expect(json.secret).toBe('my-own-secret');
    expect([wrong.status, wrong.json.errors[0].path]).toEqual([422, 'secret']);
    expect(await secretsOf(standard.id)).toHaveLength(1);
  });

  it('lets no secret outlive a newer one, and with no overlap ends all at once', async () => {
    const { id } = await create();
    const first = await rotate(id, { overlap_seconds: 7200 });

    const second = await rotate(id, { overlap_seconds: 60 });

    const ends = (await secretsOf(id)).map(({ expires_at }) => expires_at ?? null);
    const end = Date.parse(second.json.previous_expires_at);
    expect(ends).toEqual([null, end, end]);
    expect(Date.parse(first.json.previous_expires_at)).toBeGreaterThan(end);

    await rotate(id, { overlap_seconds: 0 });

    expect(await secretsOf(id)).toHaveLength(1);
  });

  it('keeps a few living ones and refuses more', async () => {
    const { id } = await create();
    for (let i = 0; i < 4; i++) expect((await rotate(id)).status).toBe(200);

    const refused = await rotate(id);

    expect([refused.status, refused.json.type]).toEqual([409, '/problems/conflict']);
    expect((await rotate(id, { overlap_seconds: 0 })).status).toBe(200);
  });

  it('rotates once under one Idempotency-Key, and shows the secret once', async () => {
    const { id } = await create();
    const key = { 'idempotency-key': 'rotate-1' };

    const answers = await Promise.all([rotate(id, {}, key), rotate(id, {}, key), rotate(id, {}, key)]);

    const shown = answers.filter(({ json }) => json.secret !== undefined);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(shown).toHaveLength(1);
    expect(new Set(answers.map(({ json }) => json.previous_expires_at)).size).toBe(1);
    expect(await secretsOf(id)).toHaveLength(2);
    const replayed = await rotate(id, {}, key);
    expect(replayed.headers['idempotency-replayed']).toBe('true');
    expect(replayed.json).toEqual({ previous_expires_at: shown[0]?.json.previous_expires_at });
    expect((await rotate(id, { overlap_seconds: 1 }, key)).status).toBe(422);
  });

  it('loses none of several at once, and leaves the routes alone', async () => {
    const { id } = await create();

    const answers = await Promise.all([1, 2, 3].map(() => rotate(id)));

    const opened = await Promise.all((await secretsOf(id)).map(open));
    for (const { json } of answers) expect(opened).toContain(json.secret);
    expect(await wanting('task.accepted')).toEqual([`${id}|`]);
  });

  it.each([
    ['overlap_seconds', { overlap_seconds: -1 }],
    ['overlap_seconds', { overlap_seconds: 1.5 }],
    ['overlap_seconds', { overlap_seconds: 15 * 86_400 }],
    ['secret', { secret: 'short' }],
    ['colour', { colour: 'red' }],
  ])('refuses a wrong %s', async (path, body) => {
    const { id } = await create();

    const { status, json } = await rotate(id, body);

    expect([status, json.errors[0].path]).toEqual([422, path]);
  });

  it('answers 404 where there is no such webhook, or no longer', async () => {
    const mine = current.me;
    const { id } = await create();
    current.me = await aCaller(tables);
    const foreign = await rotate(id);
    current.me = mine;
    await remove(id);

    expect([foreign.status, (await rotate(id)).status, (await rotate('whk_1')).status]).toEqual([404, 404, 404]);
  });
});
