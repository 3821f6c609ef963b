import { describe, expect, it } from 'vitest';
import { redactSecrets, type SentRequest } from '../../../lambdas/domain/sending/redact-secrets.ts';

const hmac = 'b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad';
const asymmetric = 'hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==';

const sent: SentRequest = {
  url: 'https://a.example.com/hook',
  ownHeaders: {},
  basicAuth: null,
  signingSecrets: [],
  rendered: { headers: {}, body: '{}' },
};
const redact = (text: string, over: Partial<SentRequest>) => redactSecrets(text, { ...sent, ...over });
const hook = (query: string) => ({ url: `https://a.example.com/hook?${query}` });

describe('redactSecrets', () => {
  const url = 'https://a.example.com/hook?secret=s3cr%C3%B8t-value&v=1#fragment';

  it.each([
    ['POST /hook?secret=s3cr%C3%B8t-value&v=1 not found', 'POST /hook?*** not found'],
    ['{"query":{"secret":"s3crøt-value","v":"1"}}', '{"query":{"secret":"***","v":"1"}}'],
    ['s3cr%C3%B8t-value is wrong', '*** is wrong'],
    ['no part of the query', 'no part of the query'],
    ['', ''],
  ])('PM reading 5: replaces the URL’s query and its values in a text: %j becomes %j', (text, redacted) => {
    expect(redact(text, { url })).toBe(redacted);
  });

  it.each(['https://a.example.com/hook', 'https://a.example.com/hook?', 'https://a.example.com/hook#a=b'])(
    'does not change the text "POST /hook?a=b" for a URL without a query: %s',
    (plain) => {
      expect(redact('POST /hook?a=b', { url: plain })).toBe('POST /hook?a=b');
    },
  );

  it('replaces a query value that is not valid percent-encoding with ***', () => {
    expect(redact('got %zz%zz%zz', { url: 'https://a.example.com/?a=%zz%zz%zz' })).toBe('got ***');
  });

  // Every value of the query was once replaced, so an answer was stored as `"status":"***"`.
  it.each([
    ['an ordinary word', hook('state=accepted'), '{"status":"accepted"}'],
    ['an ordinary word called secret', hook('secret=accepted'), '{"status":"accepted"}'],
    ['a query that is one ordinary word', hook('accepted'), '{"status":"accepted"}'],
    ['an event type', hook('type=task.accepted'), '{"type":"task.accepted"}'],
    ['a date', hook('version=2026-11-01'), '{"version":"2026-11-01"}'],
    ['an ordinary word as a header value', { ownHeaders: { 'x-env': 'production' } }, 'the production site'],
    ['a media type as a header value', { ownHeaders: { accept: 'application/json' } }, 'send application/json'],
    ['a short password', { basicAuth: { username: 'u', password: 'ok' } }, 'ok, a token'],
  ])('does not change an answer that holds %s of the request', (_, over, text) => {
    expect(redact(text, over)).toBe(text);
  });

  it.each([
    ['a query value after its name', hook('secret=accepted'), '{"secret":"accepted"}', '{"secret":"***"}'],
    ['a short query value after its name', hook('key=k1'), 'key=k1&x=k1', 'key=***&x=k1'],
    ['a header value after its name', { ownHeaders: { 'x-env': 'production' } }, 'X-Env: production', 'X-Env: ***'],
    [
      'a short password after the word password',
      { basicAuth: { username: 'u', password: 'ok' } },
      '{"password":"ok","state":"ok"}',
      '{"password":"***","state":"ok"}',
    ],
  ])('replaces %s', (_, over, text, redacted) => {
    expect(redact(text, over)).toBe(redacted);
  });

  it.each([
    ['a header value', { ownHeaders: { 'x-tenant': 'tenant-value-one' } }, 'tenant-value-one'],
    ['a token after Bearer', { ownHeaders: { authorization: 'Bearer abc-def-ghi' } }, 'abc-def-ghi'],
    ['a header value that is one word, called key', { ownHeaders: { 'x-api-key': 'hemmelighed' } }, 'hemmelighed'],
    ['a password', { basicAuth: { username: 'u', password: 'hemmelighed' } }, 'hemmelighed'],
    ['a short password of letters and digits', { basicAuth: { username: 'u', password: 'p4ss' } }, 'p4ss'],
    ['Basic credentials in base64', { basicAuth: { username: 'client', password: 'ok' } }, 'Y2xpZW50Om9r'],
    ['a signing secret', { signingSecrets: ['whsec_bmV2ZXItc2hvd24='] }, 'whsec_bmV2ZXItc2hvd24='],
    ['a signature header', { rendered: { headers: { 'x-signature': `t=1,v1=${hmac}` }, body: '' } }, hmac],
    [
      'the second of two signatures',
      { rendered: { headers: { 'webhook-signature': `v1,${hmac} v1a,${asymmetric}` }, body: '' } },
      asymmetric,
    ],
    ['the signature in a body', { rendered: { headers: {}, body: `{"signature":"${asymmetric}"}` } }, asymmetric],
  ])('replaces %s, also as JSON of JavaScript and of PHP, in a URL and in HTML', (_, over, secret) => {
    const php = secret.replaceAll('/', '\\/');
    const text = `{"got":"${secret}"} ${php} ?q=${encodeURIComponent(secret)}& <b>${secret}</b>`;

    expect(redact(text, over)).toBe('{"got":"***"} *** ?q=***& <b>***</b>');
  });

  it('replaces a password with quotation mark, ampersand and ø in every way of writing it', () => {
    const basicAuth = { username: 'u', password: 'p"&<øre>' };

    const text = [
      'p"&<øre>',
      'p\\"&<øre>',
      'p\\"&<\\u00f8re>',
      'p%22%26%3C%C3%B8re%3E',
      'p&quot;&amp;&lt;øre&gt;',
    ].join(' ');

    expect(redact(text, { basicAuth })).toBe('*** *** *** *** ***');
  });

  it('replaces the first 20 characters of a signature at the end of an answer that was cut off', () => {
    const rendered = { headers: { 'x-signature': hmac }, body: '' };

    expect(redact(`{"signature":"${hmac.slice(0, 20)}`, { rendered })).toBe('{"signature":"***');
  });
});
