import { describe, expect, it } from 'vitest';
import { redactQuery } from '../../../lambdas/domain/sending/redact-query.ts';

describe('a text without a query', () => {
  const url = 'https://a.example.com/hook?secret=s3cr%C3%B8t-value&v=1#fragment';

  it.each([
    ['POST /hook?secret=s3cr%C3%B8t-value&v=1 not found', 'POST /hook?*** not found'],
    ['{"query":{"secret":"s3crøt-value","v":"1"}}', '{"query":{"secret":"***","v":"1"}}'],
    ['s3cr%C3%B8t-value is wrong', '*** is wrong'],
    ['nothing of it', 'nothing of it'],
    ['', ''],
  ])('PM reading 5: %s', (text, redacted) => {
    expect(redactQuery(text, url)).toBe(redacted);
  });

  it.each(['https://a.example.com/hook', 'https://a.example.com/hook?', 'https://a.example.com/hook#a=b'])(
    'stays as it is where there is none: %s',
    (plain) => {
      expect(redactQuery('POST /hook?a=b', plain)).toBe('POST /hook?a=b');
    },
  );

  it('takes a value that is no percent-encoding for what it is', () => {
    expect(redactQuery('got %zz%zz%zz', 'https://a.example.com/?a=%zz%zz%zz')).toBe('got ***');
  });
});
