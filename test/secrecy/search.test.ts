import { describe, expect, it } from 'vitest';
import { createFinder, type Needle } from './find-needles.ts';
import { createSearch } from './search.ts';

const secret: Needle = { kind: 'webhook secret', text: 'mZ7Qp2Xw9Lk4' };
const query: Needle = { kind: 'query string', text: 'token=abc123' };

describe('the finder', () => {
  it.each([
    ['at the beginning', `${secret.text}.`, [secret]],
    ['in the middle', `"secret":"${secret.text}"`, [secret]],
    ['at the end', `x${secret.text}`, [secret]],
    ['two of them', `${query.text}&${secret.text}`, [query, secret]],
    ['one time and again', secret.text.repeat(3), [secret]],
    ['not a part of one', secret.text.slice(0, -1), []],
    ['not in nothing', '', []],
  ])('finds %s', (_, text, expected) => {
    expect(createFinder([secret, query])(text)).toEqual(expected);
  });

  it('finds one of thousands that begin alike', () => {
    const alike = Array.from({ length: 5000 }, (_, n): Needle => ({ kind: 'signature', text: `same-${n}-end` }));

    expect(createFinder(alike)('x same-4321-end x')).toEqual([alike[4321]]);
  });
});

describe('the search', () => {
  const leave = { kind: 'query string', where: 'domain-table * url', reason: 'it is the address' } as const;

  it('says what leaked where and how often, and not what it is', () => {
    const search = createSearch([secret, query], [leave]);

    for (let n = 0; n < 2; n++) search.look({ place: 'log deliver', fields: { line: `signed with ${secret.text}` } });

    expect([...search.leaks]).toEqual([['webhook secret in log deliver line', 2]]);
  });

  it('looks into what is nested', () => {
    const search = createSearch([secret], []);

    search.look({ place: 'domain-table webhook', fields: { headers: { M: { auth: { S: secret.text } } } } });

    expect([...search.leaks.keys()]).toEqual(['webhook secret in domain-table webhook headers']);
  });

  it('lets each thing stand where it may, and nothing else there', () => {
    const search = createSearch([secret, query], [leave]);

    search.look({ place: 'domain-table webhook', fields: { url: `https://a.test?${query.text}#${secret.text}` } });

    expect([...search.leaks.keys()]).toEqual(['webhook secret in domain-table webhook url']);
    expect(search.idleLeaves()).toEqual([]);
  });

  it('finds a leave that nothing needs', () => {
    expect(createSearch([query], [leave]).idleLeaves()).toEqual(['query string in domain-table * url']);
  });
});
