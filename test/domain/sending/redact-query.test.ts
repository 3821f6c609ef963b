import { describe, expect, it } from 'vitest';
import { redactQuery } from '../../../lambdas/domain/sending/redact-query.ts';

describe('redactQuery', () => {
  const url = 'https://a.example.com/hook?secret=s3cr%C3%B8t-value&v=1#fragment';

  it.each([
    ['POST /hook?secret=s3cr%C3%B8t-value&v=1 not found', 'POST /hook?*** not found'],
    ['{"query":{"secret":"s3crøt-value","v":"1"}}', '{"query":{"secret":"***","v":"1"}}'],
    ['s3cr%C3%B8t-value is wrong', '*** is wrong'],
    ['no part of the query', 'no part of the query'],
    ['', ''],
  ])('PM reading 5: replaces the URL’s query and its values in a text: %j becomes %j', (text, redacted) => {
    expect(redactQuery(text, url)).toBe(redacted);
  });

  it.each(['https://a.example.com/hook', 'https://a.example.com/hook?', 'https://a.example.com/hook#a=b'])(
    'does not change the text "POST /hook?a=b" for a URL without a query: %s',
    (plain) => {
      expect(redactQuery('POST /hook?a=b', plain)).toBe('POST /hook?a=b');
    },
  );

  it('replaces a query value that is not valid percent-encoding with ***', () => {
    expect(redactQuery('got %zz%zz%zz', 'https://a.example.com/?a=%zz%zz%zz')).toBe('got ***');
  });
});
