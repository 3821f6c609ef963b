import { readDocsAsset } from '../adapters/docs/docs-assets.ts';
import { operations } from '../contract/index.ts';
import { openApiDocument } from '../contract/openapi.ts';
import { docsRoutes } from '../routes/docs.ts';
import { httpHandler } from '../runtime/http.ts';

let document: string | undefined;

/**
 * Returns the OpenAPI document as JSON. The document is generated at the first request for it, so that other requests
 * do not wait.
 */
const openApi = (): string => {
  document ??= JSON.stringify(openApiDocument(operations));
  return document;
};

export const handler = httpHandler(docsRoutes({ openApi, readAsset: readDocsAsset }), { surface: 'native' });
