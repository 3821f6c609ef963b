import { describe, expect, it } from 'vitest';
import { checkAddress } from '../../../lambdas/domain/webhooks/check-address.ts';

const rules = { allowHttp: false, allowLoopback: false, ownHosts: [], isPublicAddress: () => true };

describe('a webhook’s address at registration', () => {
  it.each([
    ['is taken where its name leads outside', 'public', []],
    ['is taken where its name leads nowhere yet', 'unresolved', []],
    ['is refused where its name leads inside', 'forbidden', ['url']],
  ] as const)('%s', async (_, outcome, paths) => {
    const asked: string[] = [];

    const errors = await checkAddress('https://hooks.example.com/a', rules, async (host) => {
      asked.push(host);
      return { outcome };
    });

    expect(errors.map(({ path }) => path)).toEqual(paths);
    expect(asked).toEqual(['hooks.example.com']);
  });

  it('asks nobody about a text that is refused as it stands', async () => {
    const errors = await checkAddress('http://hooks.example.com/', rules, () => Promise.reject(new Error('submitted')));

    expect(errors).toMatchObject([{ path: 'url', code: 'https_required' }]);
  });
});
