import { describe, expect, it } from 'vitest';
import { createFilter } from '../../../local/streams/filter.ts';

const filter = (...patterns: object[]) =>
  createFilter({ Filters: patterns.map((pattern) => ({ Pattern: JSON.stringify(pattern) })) });
const image = (NewImage: object) => ({ eventName: 'INSERT', dynamodb: { NewImage } });

describe('the filter of an event source mapping', () => {
  it.each([
    ['equal text', { kind: { S: ['task', 'event'] } }, { kind: { S: 'event' } }, true],
    ['other text', { kind: { S: ['task'] } }, { kind: { S: 'webhook' } }, false],
    ['a missing attribute', { kind: { S: ['task'] } }, {}, false],
    ['a prefix', { id: { S: [{ prefix: 'tsk_' }] } }, { id: { S: 'tsk_1' } }, true],
    ['another prefix', { id: { S: [{ prefix: 'tsk_' }] } }, { id: { S: 'evt_1' } }, false],
    [
      'anything-but, with another value',
      { origin: { S: [{ 'anything-but': ['change'] }] } },
      { origin: { S: 'publish' } },
      true,
    ],
    [
      'anything-but, with the excluded value',
      { origin: { S: [{ 'anything-but': ['change'] }] } },
      { origin: { S: 'change' } },
      false,
    ],
    ['presence', { ttl: { N: [{ exists: true }] } }, { ttl: { N: '1' } }, true],
    ['absence', { ttl: { N: [{ exists: false }] } }, {}, true],
    [
      'two attributes of which one differs',
      { a: { S: ['1'] }, b: { S: ['2'] } },
      { a: { S: '1' }, b: { S: '3' } },
      false,
    ],
  ])('on %s: pattern %j, record %j, passes: %s', (_, NewImage, given, passes) => {
    expect(filter({ dynamodb: { NewImage } })(image(given))).toBe(passes);
  });

  it('passes a record that matches one of several patterns', () => {
    const passes = filter({ eventName: ['REMOVE'] }, { dynamodb: { NewImage: { kind: { S: ['task'] } } } });

    expect(passes(image({ kind: { S: 'task' } }))).toBe(true);
  });

  it('passes every record when there is no pattern', () => {
    expect(createFilter(undefined)({})).toBe(true);
  });

  it('throws on an unknown operator', () => {
    const passes = filter({ dynamodb: { NewImage: { n: { N: [{ numeric: ['>', 1] }] } } } });

    expect(() => passes(image({ n: { N: '2' } }))).toThrow('numeric');
  });
});
