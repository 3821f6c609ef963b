import { describe, expect, it } from 'vitest';
import { createFilter } from '../../../local/streams/filter.ts';

const filter = (...patterns: object[]) =>
  createFilter({ Filters: patterns.map((pattern) => ({ Pattern: JSON.stringify(pattern) })) });
const image = (NewImage: object) => ({ eventName: 'INSERT', dynamodb: { NewImage } });

describe('the filter of an event source mapping', () => {
  it.each([
    [
      'passes a record whose attribute equals one of the pattern’s values',
      { kind: { S: ['task', 'event'] } },
      { kind: { S: 'event' } },
      true,
    ],
    [
      'rejects a record whose attribute has another value',
      { kind: { S: ['task'] } },
      { kind: { S: 'webhook' } },
      false,
    ],
    ['rejects a record without the attribute', { kind: { S: ['task'] } }, {}, false],
    [
      'passes a record whose attribute has the prefix',
      { id: { S: [{ prefix: 'tsk_' }] } },
      { id: { S: 'tsk_1' } },
      true,
    ],
    [
      'rejects a record whose attribute has another prefix',
      { id: { S: [{ prefix: 'tsk_' }] } },
      { id: { S: 'evt_1' } },
      false,
    ],
    [
      'passes a record whose attribute is not the value of anything-but',
      { origin: { S: [{ 'anything-but': ['change'] }] } },
      { origin: { S: 'publish' } },
      true,
    ],
    [
      'rejects a record whose attribute is the value of anything-but',
      { origin: { S: [{ 'anything-but': ['change'] }] } },
      { origin: { S: 'change' } },
      false,
    ],
    ['passes a record that has the attribute', { ttl: { N: [{ exists: true }] } }, { ttl: { N: '1' } }, true],
    ['passes a record that lacks the attribute', { ttl: { N: [{ exists: false }] } }, {}, true],
    [
      'rejects a record of which one of two attributes differs',
      { a: { S: ['1'] }, b: { S: ['2'] } },
      { a: { S: '1' }, b: { S: '3' } },
      false,
    ],
  ])('%s, by the pattern %j', (_, NewImage, given, passes) => {
    expect(filter({ dynamodb: { NewImage } })(image(given))).toBe(passes);
  });

  it('passes a record that matches the second of two patterns', () => {
    const passes = filter({ eventName: ['REMOVE'] }, { dynamodb: { NewImage: { kind: { S: ['task'] } } } });

    expect(passes(image({ kind: { S: 'task' } }))).toBe(true);
  });

  it('passes a record when the mapping has no filter', () => {
    expect(createFilter(undefined)({})).toBe(true);
  });

  it('throws when a pattern has the unsupported operator numeric', () => {
    const passes = filter({ dynamodb: { NewImage: { n: { N: [{ numeric: ['>', 1] }] } } } });

    expect(() => passes(image({ n: { N: '2' } }))).toThrow('numeric');
  });
});
