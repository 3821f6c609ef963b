import { describe, expect, it } from 'vitest';
import { createFilter } from '../../../local/streams/filter.ts';

const filter = (...patterns: object[]) =>
  createFilter({ Filters: patterns.map((pattern) => ({ Pattern: JSON.stringify(pattern) })) });
const image = (NewImage: object) => ({ eventName: 'INSERT', dynamodb: { NewImage } });

describe('a mapping’s filter', () => {
  it.each([
    ['equal text', { kind: { S: ['task', 'event'] } }, { kind: { S: 'event' } }, true],
    ['other text', { kind: { S: ['task'] } }, { kind: { S: 'webhook' } }, false],
    ['nothing there', { kind: { S: ['task'] } }, {}, false],
    ['a prefix', { id: { S: [{ prefix: 'tsk_' }] } }, { id: { S: 'tsk_1' } }, true],
    ['another prefix', { id: { S: [{ prefix: 'tsk_' }] } }, { id: { S: 'evt_1' } }, false],
    ['anything but', { origin: { S: [{ 'anything-but': ['change'] }] } }, { origin: { S: 'publish' } }, true],
    ['just that', { origin: { S: [{ 'anything-but': ['change'] }] } }, { origin: { S: 'change' } }, false],
    ['presence', { ttl: { N: [{ exists: true }] } }, { ttl: { N: '1' } }, true],
    ['absence', { ttl: { N: [{ exists: false }] } }, {}, true],
    ['all of several', { a: { S: ['1'] }, b: { S: ['2'] } }, { a: { S: '1' }, b: { S: '3' } }, false],
  ])('judges %s', (_, NewImage, given, passes) => {
    expect(filter({ dynamodb: { NewImage } })(image(given))).toBe(passes);
  });

  it('passes what any pattern fits', () => {
    const passes = filter({ eventName: ['REMOVE'] }, { dynamodb: { NewImage: { kind: { S: ['task'] } } } });

    expect(passes(image({ kind: { S: 'task' } }))).toBe(true);
  });

  it('passes everything without a pattern', () => {
    expect(createFilter(undefined)({})).toBe(true);
  });

  it('refuses an operator it does not know', () => {
    const passes = filter({ dynamodb: { NewImage: { n: { N: [{ numeric: ['>', 1] }] } } } });

    expect(() => passes(image({ n: { N: '2' } }))).toThrow('numeric');
  });
});
