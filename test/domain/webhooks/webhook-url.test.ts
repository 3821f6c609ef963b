import { describe, expect, test } from 'vitest';
import {
  checkWebhookUrl,
  faultOfTarget,
  requestTarget,
  type WebhookUrlRules,
  withEncodedPath,
} from '../../../lambdas/domain/webhooks/webhook-url.ts';

const rules: WebhookUrlRules = {
  allowHttp: false,
  allowLoopback: false,
  ownHosts: ['api.passpost.example', '127.0.0.1:4510'],
  isPublicAddress: (address) => address === '93.184.216.34' || address === '2606:4700::1111',
};
const codeOf = (url: string, changed: Partial<WebhookUrlRules> = {}): string | undefined =>
  checkWebhookUrl(url, { ...rules, ...changed }).errors[0]?.code;

/** The URL as a title shows it: a long URL is cut, and invisible characters are escaped. */
const shown = (url: string): string =>
  JSON.stringify(url.length > 100 ? `${url.slice(0, 40)}… (${url.length} characters)` : url).replace(
    /[\u007f-\u00a0]/g,
    (char) => `\\u00${char.charCodeAt(0).toString(16)}`,
  );

describe('a webhook URL', () => {
  test.each(
    [
      'https://example.com',
      'https://example.com/hooks?key=a+b%20c&&=#part',
      'HTTPS://EXAMPLE.com:443/',
      'https://example.com:80/',
      'https://example.com:8443/',
      'https://my_shop.example.com/',
      'https://bücher.example/',
      'https://93.184.216.34/',
      'https://[2606:4700::1111]/',
      `https://example.com/${'a'.repeat(2028)}`,
    ].map((url) => [shown(url), url] as const),
  )('is accepted: %s', (_, url) => {
    expect(codeOf(url)).toBeUndefined();
  });

  test.each(
    [
      ['', 'invalid_url'],
      ['example.com', 'invalid_url'],
      ['/hooks', 'invalid_url'],
      ['ftp://example.com/', 'invalid_url'],
      ['javascript:alert(1)', 'invalid_url'],
      ['https:example.com', 'invalid_url'],
      ['https:///example.com', 'invalid_url'],
      ['https:\\\\example.com', 'invalid_url'],
      ['https://example.com\\@evil.example/', 'invalid_url'],
      ['https://example.com/a\\b', 'invalid_url'],
      ['https://exa<mple.com/', 'invalid_url'],
      ['https://example.com:99999/', 'invalid_url'],
      ['https://1.2.3.4.5/', 'invalid_url'],
      [' https://example.com', 'invalid_characters'],
      ['https://example.com/ ', 'invalid_characters'],
      ['https://example.com/a b', 'invalid_characters'],
      ['https://exam\tple.com/', 'invalid_characters'],
      ['https://example.com/\n', 'invalid_characters'],
      ['https://example.com/\u0000', 'invalid_characters'],
      ['https://example.com/\u0085', 'invalid_characters'],
      ['https://example.com/\u00a0', 'invalid_characters'],
      ['https://example.com/\ud800', 'invalid_characters'],
      [`https://example.com/${'a'.repeat(2029)}`, 'too_long'],
      ['https://user:secret@example.com/', 'user_info'],
      ['https://@example.com/', 'user_info'],
      ['https://:@example.com/', 'user_info'],
      ['http://example.com/', 'https_required'],
      ['https://example.com:22/', 'forbidden_port'],
      ['https://example.com:8080/', 'forbidden_port'],
      ['https://example.com:0/', 'forbidden_port'],
      ['https://intranet/', 'forbidden_host'],
      ['https://localhost/', 'forbidden_host'],
      ['https://LOCALHOST/', 'forbidden_host'],
      ['https://localhost./', 'forbidden_host'],
      ['https://localhost%2e/', 'forbidden_host'],
      ['https://a.localhost/', 'forbidden_host'],
      ['https://printer.local/', 'forbidden_host'],
      ['https://metadata.google.internal/', 'forbidden_host'],
      ['https://metadata.google.internal./', 'forbidden_host'],
      ['https://host.localdomain/', 'forbidden_host'],
      ['https://a..example.com/', 'forbidden_host'],
      ['https://-a.example.com/', 'forbidden_host'],
      ['https://example.com-/', 'forbidden_host'],
      [`https://${'a'.repeat(64)}.example/`, 'forbidden_host'],
      [`https://${'a.'.repeat(126)}example/`, 'forbidden_host'],
      ['https://127.0.0.1/', 'forbidden_host'],
      ['https://127.1/', 'forbidden_host'],
      ['https://2130706433/', 'forbidden_host'],
      ['https://0x7f.0.0.1/', 'forbidden_host'],
      ['https://0177.0.0.1/', 'forbidden_host'],
      ['https://①②⑦.⓪.⓪.①/', 'forbidden_host'],
      ['https://0/', 'forbidden_host'],
      ['https://[::1]/', 'forbidden_host'],
      ['https://[::ffff:93.184.216.34]/', 'forbidden_host'],
      ['https://api.passpost.example/', 'own_host'],
      ['https://API.PassPost.example:8443/', 'own_host'],
      ['https://api.passpost.example./', 'own_host'],
    ].map(([url = '', code = '']) => [code, shown(url), url] as const),
  )('is rejected with %s: %s', (code, _, url) => {
    expect(codeOf(url)).toBe(code);
  });

  test('with plain http is accepted if allowHttp is true', () => {
    expect(codeOf('http://example.com/', { allowHttp: true })).toBeUndefined();
  });

  test.each(['https://127.0.0.1:4711/', 'https://localhost:4711/', 'https://[::1]:4711/', 'https://a.localhost:1/'])(
    'with a loopback host and any port is accepted if allowLoopback is true: %s',
    (url) => {
      expect(codeOf(url, { allowLoopback: true })).toBeUndefined();
    },
  );

  test.each([
    ['http://127.0.0.1:4711/', 'https_required'],
    ['https://127.0.0.1:4510/', 'own_host'],
    ['https://0.0.0.0:4711/', 'forbidden_host'],
    ['https://10.0.0.1/', 'forbidden_host'],
    ['https://[::ffff:127.0.0.1]/', 'forbidden_host'],
    ['https://127.example.com:4711/', 'forbidden_port'],
  ])('is still rejected if allowLoopback is true: %s with the code %s', (url, code) => {
    expect(codeOf(url, { allowLoopback: true })).toBe(code);
  });

  test('with plain http is accepted only for a loopback host if allowHttp is loopback and allowLoopback is true', () => {
    expect(codeOf('http://127.0.0.1:1/', { allowHttp: 'loopback', allowLoopback: true })).toBeUndefined();
    expect(codeOf('http://example.com/', { allowHttp: 'loopback', allowLoopback: true })).toBe('https_required');
    expect(codeOf('http://127.0.0.1/', { allowHttp: 'loopback' })).toBe('forbidden_host');
  });

  test('"nonsense" gives one error with the path url, the code invalid_url and a message', () => {
    expect(checkWebhookUrl('nonsense', rules).errors).toEqual([
      { path: 'url', code: 'invalid_url', message: 'must be an absolute http or https URL' },
    ]);
  });
});

describe('withEncodedPath', () => {
  test.each([
    ['https://example.com/ø/"<>^`{|}[]', 'https://example.com/%C3%B8/%22%3C%3E%5E%60%7B%7C%7D%5B%5D'],
    [`https://example.com/a-._~!$&'()*+,;=:@%2f%`, `https://example.com/a-._~!$&'()*+,;=:@%2f%`],
    ['https://example.com/🔑?q={ø}#{', 'https://example.com/%F0%9F%94%91?q={ø}#{'],
    ['HTTPS://example.com?a={//{', 'HTTPS://example.com?a={//{'],
    ['https://bücher.example/ü', 'https://bücher.example/%C3%BC'],
    ['https://example.com/{ }', 'https://example.com/%7B %7D'],
    ['https://example.com/{\ud800', 'https://example.com/{\ud800'],
    ['{', '{'],
  ])('of the URL %j returns the URL %j', (url, encoded) => {
    expect(withEncodedPath(url)).toBe(encoded);
    expect(withEncodedPath(encoded)).toBe(encoded);
  });
});

describe('faultOfTarget', () => {
  test.each([
    ['https://example.com/%', 'broken_percent'],
    ['https://example.com/a%2/b', 'broken_percent'],
    ['https://example.com/%zz?a=1', 'broken_percent'],
    ['https://example.com/?a=ø', 'invalid_characters'],
    ['https://example.com/?a=\u0080', 'invalid_characters'],
    ['https://example.com/%7e?a=%zz%&b="{}|', undefined],
    ['https://example.com/ø', undefined],
  ])('of the URL %j returns the fault %j', (url, code) => {
    expect(faultOfTarget(url)?.code).toBe(code);
  });
});

describe('requestTarget', () => {
  test.each([
    ['https://example.com', '/'],
    ['https://example.com?a=1', '/?a=1'],
    ['https://example.com/?', '/?'],
    ['https://example.com/a/../b/./%7e', '/a/../b/./%7e'],
    [`https://example.com/p?a=%7E~'"|{}&&=b`, `/p?a=%7E~'"|{}&&=b`],
    ['https://example.com/p?u=https://x/?y&b=\\^`<>', '/p?u=https://x/?y&b=\\^`<>'],
    ['https://example.com/p?a=1#b?c', '/p?a=1'],
    ['https://example.com/ø?ключ=%zz+1', '/%C3%B8?%D0%BA%D0%BB%D1%8E%D1%87=%zz+1'],
    ['https://example.com/{a}?{a}', '/%7Ba%7D?{a}'],
    ['https://example.com/?🔑', '/?%F0%9F%94%91'],
  ])('of the URL %s returns the request target %s', (url, target) => {
    expect(requestTarget(url)).toBe(target);
  });
});
