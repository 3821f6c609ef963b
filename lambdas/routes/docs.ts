import { getDocs, getDocsAsset, getHealth, getOpenApi } from '../contract/docs.ts';
import { notFound } from '../domain/foundation/errors.ts';
import { type ApiResponse, type Route, route } from '../runtime/operation.ts';

export interface DocsAssets {
  /** Returns the OpenAPI document as JSON text. */
  readonly openApi: () => string;
  readonly readAsset: (name: string) => Promise<{ type: string; text: string } | null>;
}

/**
 * The content security policy of the reference's pages: the browser may load scripts, styles, images and data from this
 * host and nothing from any other. Swagger UI sets styles on elements, so inline styles are allowed.
 */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>PassPost API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<noscript><a href="${getOpenApi.path}">The OpenAPI document</a></noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

// The script that starts Swagger UI is a separate file, because the content security policy forbids inline scripts.
const start = `SwaggerUIBundle({ url: '${getOpenApi.path}', dom_id: '#reference', deepLinking: true, validatorUrl: null });
`;

const file = (type: string, body: string): ApiResponse => ({
  status: 200,
  body,
  isStatic: true,
  headers: {
    'content-type': type,
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'referrer-policy': 'no-referrer',
    'cache-control': 'public, max-age=3600',
  },
});

/** Returns the routes of the calls that describe the API, to programs and to people, and of the health check. */
export const docsRoutes = ({ openApi, readAsset }: DocsAssets): Route[] => [
  route(getOpenApi, async () => ({
    status: 200,
    body: openApi(),
    isStatic: true,
    headers: {
      'content-type': 'application/json',
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=300',
    },
  })),
  route(getHealth, async () => ({ status: 200, body: { status: 'ok' }, headers: { 'cache-control': 'no-store' } })),
  route(getDocs, async () => file('text/html; charset=utf-8', page)),
  route(getDocsAsset, async ({ asset }) => {
    if (asset === 'start.js') return file('text/javascript; charset=utf-8', start);
    const stored = await readAsset(asset);
    if (!stored) throw notFound('page');
    return file(stored.type, stored.text);
  }),
];
