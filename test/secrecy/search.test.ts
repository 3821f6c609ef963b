import { describe, expect, it } from 'vitest';
import { createFinder, type Needle } from './find-needles.ts';
import { createSearch } from './search.ts';

const secret: Needle = { kind: 'webhook secret', text: 'mZ7Qp2Xw9Lk4' };
const query: Needle = { kind: 'query string', text: 'token=abc123' };

describe('createFinder', () => {
  it.each([
    ['a needle at the beginning', `${secret.text}.`, [secret]],
    ['a needle in the middle', `"secret":"${secret.text}"`, [secret]],
    ['a needle at the end', `x${secret.text}`, [secret]],
    ['two needles', `${query.text}&${secret.text}`, [query, secret]],
    ['a repeated needle once', secret.text.repeat(3), [secret]],
    ['nothing in a part of a needle', secret.text.slice(0, -1), []],
    ['nothing in an empty text', '', []],
  ])('finds %s', (_, text, expected) => {
    expect(createFinder([secret, query])(text)).toEqual(expected);
  });

  it('finds one of thousands of needles with the same beginning', () => {
    const needles = Array.from({ length: 5000 }, (_, n): Needle => ({ kind: 'signature', text: `same-${n}-end` }));

    expect(createFinder(needles)('x same-4321-end x')).toEqual([needles[4321]]);
  });
});

describe('createSearch', () => {
  const leave = { kind: 'query string', where: 'domain-table * url', reason: 'it is the address' } as const;

  it('reports kind, place and count of a leak, but not the secret', () => {
    const search = createSearch([secret, query], [leave]);

    for (let n = 0; n < 2; n++) search.look({ place: 'log deliver', fields: { line: `signed with ${secret.text}` } });

    expect([...search.leaks]).toEqual([['webhook secret in log deliver line', 2]]);
  });

  it('searches nested values', () => {
    const search = createSearch([secret], []);

    search.look({ place: 'domain-table webhook', fields: { headers: { M: { auth: { S: secret.text } } } } });

    expect([...search.leaks.keys()]).toEqual(['webhook secret in domain-table webhook headers']);
  });

  it('allows a kind of secret in its permitted place, and no other kind there', () => {
    const search = createSearch([secret, query], [leave]);

    search.look({ place: 'domain-table webhook', fields: { url: `https://a.test?${query.text}#${secret.text}` } });

    expect([...search.leaks.keys()]).toEqual(['webhook secret in domain-table webhook url']);
    expect(search.idleLeaves()).toEqual([]);
  });

  it('reports a leave that no writing needed', () => {
    expect(createSearch([query], [leave]).idleLeaves()).toEqual(['query string in domain-table * url']);
  });
});
