import { describe, expect, it } from 'vitest';
import { checkAddress } from '../../../lambdas/domain/webhooks/check-address.ts';

const rules = { allowHttp: false, allowLoopback: false, ownHosts: [], isPublicAddress: () => true };

describe('a webhook’s address at registration', () => {
  it.each([
    ['is accepted if its host name resolves to a public address', 'public', []],
    ['is accepted if its host name does not resolve', 'unresolved', []],
    ['is refused with an error at url if its host name resolves to a forbidden address', 'forbidden', ['url']],
  ] as const)('%s', async (_, outcome, paths) => {
    const resolved: string[] = [];

    const errors = await checkAddress('https://hooks.example.com/a', rules, async (host) => {
      resolved.push(host);
      return { outcome };
    });

    expect(errors.map(({ path }) => path)).toEqual(paths);
    expect(resolved).toEqual(['hooks.example.com']);
  });

  it('is refused without being resolved if the rules already forbid its URL (plain http)', async () => {
    const errors = await checkAddress('http://hooks.example.com/', rules, () => Promise.reject(new Error('resolved')));

    expect(errors).toMatchObject([{ path: 'url', code: 'https_required' }]);
  });
});
