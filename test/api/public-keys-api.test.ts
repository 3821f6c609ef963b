import { createPublicKey } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { provideSigningKey } from '../../lambdas/domain/keyring/provide-signing-key.ts';
import { aCaller, type Caller, useApi } from '../helpers/api-caller.ts';
import { useSigningKeys } from '../helpers/signing-keys.ts';
import { useTables } from '../helpers/tables.ts';

const UNKNOWN = 'acc_01JDB6Q80000000000000000AA';

describe('the public-keys-api function', () => {
  const tables = useTables();
  const signing = useSigningKeys(tables);
  const api = useApi(tables, 'public-keys-api', '');
  let account: Caller;
  beforeEach(async () => {
    account = await aCaller(tables);
  });

  const get = (path: string, query = '') => api('GET', path, { ...account, key: '' }, { query });
  const provide = (alg: 'ES256' | 'RS256', owner = account.owner) =>
    provideSigningKey(owner, alg, signing.dependencies(), Date.now());

  it('GET /.well-known/jwks.json answers 200 with no keys and a max-age of 300 seconds, and POST answers 405', async () => {
    const { status, headers, json } = await get('/.well-known/jwks.json');
    const posted = await api('POST', '/.well-known/jwks.json', account);

    expect([status, json]).toEqual([200, { keys: [] }]);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'public, max-age=300' });
    expect(posted).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  it('GET /accounts/{id}/{mode}/jwks.json answers 200 without an API key, with the public keys of the account in that mode only', async () => {
    const [ec, rsa] = [await provide('ES256'), await provide('RS256')];
    await provide('ES256', account.owner.replace('live', 'test'));

    const { status, headers, json } = await get(`/accounts/${account.accountId}/live/jwks.json`);

    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=300']);
    const expected = [ec, rsa].flatMap(({ alg, keys }) =>
      keys.map(({ kid, jwk }) => ({ ...jwk, kid, alg, use: 'sig' })),
    );
    expect(json.keys).toEqual(expected);
    for (const key of json.keys) expect(key).not.toHaveProperty('d');
  });

  it('GET /accounts/{id}/{mode}/jwks.json gives the same answer for an account without keys and an unknown account, and 404 for another mode or a malformed id', async () => {
    const without = await get(`/accounts/${account.accountId}/live/jwks.json`);
    const unknown = await get(`/accounts/${UNKNOWN}/live/jwks.json`);

    expect([without.status, without.json]).toEqual([200, { keys: [] }]);
    expect([unknown.status, unknown.text]).toEqual([without.status, without.text]);
    expect((await get(`/accounts/${account.accountId}/both/jwks.json`)).status).toBe(404);
    expect((await get('/accounts/acc_1/live/jwks.json')).status).toBe(404);
  });

  it('GET /inpost/public-key shows the RSA and the EC key of the account as PEM, or only the key of the given algorithm', async () => {
    const [ec, rsa] = [await provide('ES256'), await provide('RS256')];
    const query = `account=${account.accountId}&mode=live`;

    const both = await get('/inpost/public-key', query);
    const ecOnly = await get('/inpost/public-key', `${query}&algorithm=ecdsa-p256-sha256`);
    const rsaOnly = await get('/inpost/public-key', `${query}&algorithm=rsa-sha256`);

    const { next, ...pems } = both.json;
    expect([both.status, Object.keys(pems), next]).toEqual([200, ['rsa', 'ec'], null]);
    expect([rsaOnly.text, ecOnly.text]).toEqual([pems.rsa, pems.ec]);
    expect(ecOnly.headers).toMatchObject({ 'content-type': 'application/x-pem-file' });
    const published = [pems.ec, pems.rsa].map((pem) => createPublicKey(pem).export({ format: 'jwk' }));
    expect(published).toEqual([ec, rsa].map(({ keys }) => keys[0]?.jwk));
  });

  it('GET /inpost/public-key answers 422 without account and with the algorithm md5, and 404 for an algorithm of which the account has no key', async () => {
    await provide('RS256');
    const query = `account=${account.accountId}`;

    const without = await get('/inpost/public-key', 'algorithm=rsa-sha256');
    const md5 = await get('/inpost/public-key', `${query}&algorithm=md5`);
    const ec = await get('/inpost/public-key', `${query}&algorithm=ecdsa-p256-sha256`);

    expect(without).toMatchObject({ status: 422, json: { errors: [{ path: 'account' }] } });
    expect(md5).toMatchObject({ status: 422, json: { errors: [{ path: 'algorithm' }] } });
    expect(ec).toMatchObject({ status: 404, json: { detail: expect.stringContaining('it has no ES256 key') } });
    expect((await get('/inpost/public-key', query)).json).toMatchObject({ ec: null, next: null });
  });
});
