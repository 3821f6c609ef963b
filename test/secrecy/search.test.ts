import { describe, expect, it } from 'vitest';
import { createFinder, type Needle } from './find-needles.ts';
import { createSearch } from './search.ts';

const secret: Needle = { kind: 'webhook secret', text: 'mZ7Qp2Xw9Lk4' };
const query: Needle = { kind: 'query string', text: 'token=abc123' };

describe('a finder of needles (secret texts)', () => {
  it.each([
    ['a needle at the beginning of a text', `${secret.text}.`, [secret]],
    ['a needle in the middle of a text', `"secret":"${secret.text}"`, [secret]],
    ['a needle at the end of a text', `x${secret.text}`, [secret]],
    ['two needles in one text', `${query.text}&${secret.text}`, [query, secret]],
    ['a needle once if the text repeats it three times', secret.text.repeat(3), [secret]],
    ['nothing in a text that lacks the last character of a needle', secret.text.slice(0, -1), []],
    ['nothing in an empty text', '', []],
  ])('finds %s', (_, text, expected) => {
    expect(createFinder([secret, query])(text)).toEqual(expected);
  });

  it('finds the one of 5,000 needles with the same beginning that is in the text', () => {
    const needles = Array.from({ length: 5000 }, (_, n): Needle => ({ kind: 'signature', text: `same-${n}-end` }));

    expect(createFinder(needles)('x same-4321-end x')).toEqual([needles[4321]]);
  });
});

describe('a search for secrets in rows, messages and log lines', () => {
  const leave = { kind: 'query string', where: 'domain-table * url', reason: 'it is the address' } as const;

  it('counts a secret in two log lines as two leaks, and names kind and place of the leak but not the secret', () => {
    const search = createSearch([secret, query], [leave]);

    for (let n = 0; n < 2; n++) search.look({ place: 'log deliver', fields: { line: `signed with ${secret.text}` } });

    expect([...search.leaks]).toEqual([['webhook secret in log deliver line', 2]]);
  });

  it('reports a secret in a nested value of a row field', () => {
    const search = createSearch([secret], []);

    search.look({ place: 'domain-table webhook', fields: { headers: { M: { auth: { S: secret.text } } } } });

    expect([...search.leaks.keys()]).toEqual(['webhook secret in domain-table webhook headers']);
  });

  it('reports a webhook secret, but not the query string, in a field that a leave permits to contain query strings', () => {
    const search = createSearch([secret, query], [leave]);

    search.look({ place: 'domain-table webhook', fields: { url: `https://a.test?${query.text}#${secret.text}` } });

    expect([...search.leaks.keys()]).toEqual(['webhook secret in domain-table webhook url']);
    expect(search.idleLeaves()).toEqual([]);
  });

  it('idleLeaves() lists a leave (a permitted kind and place) that no row, message or log line used', () => {
    expect(createSearch([query], [leave]).idleLeaves()).toEqual(['query string in domain-table * url']);
  });
});
