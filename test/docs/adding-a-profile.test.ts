import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hmacSha256 } from '../../lambdas/profiles/parts/hmac-sha256.ts';
import { githubStyle } from '../helpers/github-style.ts';
import { testProfile, type Verify } from '../helpers/profile-contract.ts';
import { codeBlocks } from '../helpers/snippets.ts';
import vectors from '../vectors/github-style.json' with { type: 'json' };

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const verifyGithubStyle: Verify = ({ headers, body }, secret) => {
  const wanted = `sha256=${createHmac('sha256', secret).update(body, 'utf8').digest('hex')}`;
  return timingSafeEqual(Buffer.from(wanted), Buffer.from(headers['x-hub-signature-256'] ?? ''));
};

describe('the example profile of docs/profiles/adding.md', () => {
  testProfile({
    profile: githubStyle,
    options: [{}],
    secrets: ['newest-secret', 'previous-secret'],
    receivers: { 'a GitHub receiver': verifyGithubStyle },
  });

  it.each(vectors.signatures)(
    'hmacSha256 gives the signature of the vector ($statement), and the receiver of this test accepts it',
    ({ secret, body, signature }) => {
      expect(`sha256=${hmacSha256(secret, body, 'hex')}`).toBe(signature);
      expect(verifyGithubStyle({ headers: { 'x-hub-signature-256': signature }, body }, secret)).toBe(true);
    },
  );

  it('the first TypeScript block of the page equals test/helpers/github-style.ts, except for import paths', () => {
    const [fileOnPage] = codeBlocks('profiles/adding.md', 'ts');

    const file = read('test/helpers/github-style.ts')
      .replaceAll('../../lambdas/domain/', '../domain/')
      .replaceAll('../../lambdas/profiles/parts/', './parts/');

    expect(fileOnPage).toBe(file);
  });

  it('the diff of the page changes a line that is in lambdas/profiles/index.ts, and only appends githubStyle to the list', () => {
    const [diff = ''] = codeBlocks('profiles/adding.md', 'diff');
    const [, before = '', after = ''] = /^-(.*)\n\+(.*)$/m.exec(diff) ?? [];

    expect(read('lambdas/profiles/index.ts')).toContain(before);
    expect(after).toBe(before.replace('];', ', githubStyle];'));
  });
});
