import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { handler } from '../../lambdas/functions/docs-api.ts';
import { callApi } from '../helpers/api-call.ts';

describe('the docs-api function', () => {
  test('PP-10 GET /api/public/v1/openapi.json answers 200 with an OpenAPI 3.1 document as JSON, in which POST /tasks is createTask', async () => {
    const { status, headers, json } = await callApi(handler, 'GET', '/api/public/v1/openapi.json');

    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(json.openapi).toMatch(/^3\.1/);
    expect(json.paths['/api/public/v1/tasks'].post.operationId).toBe('createTask');
  });

  test('GET /docs returns an HTML page without absolute URLs, and GET of every file that the HTML page refers to answers 200', async () => {
    const page = await callApi(handler, 'GET', '/docs');
    const assets = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path);

    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(page.text).not.toMatch(/https?:/);
    expect(assets.filter((path) => path.startsWith('/docs/'))).toHaveLength(3);
    for (const path of assets) {
      const { status, text } = await callApi(handler, 'GET', path);

      expect(status).toBe(200);
      expect(text.length).toBeGreaterThan(50);
    }
  });

  test.each(['/api/public/v1/openapi.json', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css'])(
    'GET %s is compressed if the client accepts gzip, 304 for its own ETag, and cacheable',
    async (path) => {
      const plain = await callApi(handler, 'GET', path);
      const codings = ['gzip', 'br, GZIP;q=0.5', '*', 'gzip;q=0', 'br', 'identity, *;q=0'];
      const [gzip, ...others] = await Promise.all(
        codings.map((coding) => callApi(handler, 'GET', path, { headers: { 'accept-encoding': coding } })),
      );
      const { etag = '' } = plain.headers;
      const tags = [etag, `"x", ${etag}`, '*', '"x"'];
      const conditional = await Promise.all(
        tags.map((tag) => callApi(handler, 'GET', path, { headers: { 'if-none-match': tag } })),
      );

      expect(gunzipSync(gzip?.bytes ?? '').toString()).toBe(plain.text);
      expect((gzip?.bytes.length ?? 0) * 3).toBeLessThan(plain.text.length);
      expect(gzip?.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding', etag });
      expect(others.map(({ headers }) => headers['content-encoding'])).toEqual([
        'gzip',
        'gzip',
        undefined,
        undefined,
        undefined,
      ]);
      expect(plain.headers['cache-control']).toMatch(/^public, max-age=\d+$/);
      expect(conditional.map(({ status, text }) => [status, text === ''])).toEqual([
        [304, true],
        [304, true],
        [304, true],
        [200, false],
      ]);
    },
  );

  test('GET /docs/{file} answers 404 for files that the documentation page does not use, and POST /docs answers 405', async () => {
    for (const asset of ['index.html', 'package.json', '..%2Fpackage.json', '__proto__', 'swagger-ui.css.map']) {
      expect((await callApi(handler, 'GET', `/docs/${asset}`)).status).toBe(404);
    }
    expect((await callApi(handler, 'POST', '/docs')).status).toBe(405);
  });

  test('GET /health answers 200 with the status ok', async () => {
    expect(await callApi(handler, 'GET', '/health')).toMatchObject({ status: 200, json: { status: 'ok' } });
  });
});
