export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Calls the local stack's API with an API key and returns the response's status and JSON body. `path` starts after
 * `/api/public/v1`. An error status is returned, not thrown.
 */
export const callApi = async (
  url: string,
  key: string,
  method: string,
  path: string,
  body?: object,
): Promise<ApiAnswer> => {
  const response = await fetch(`${url}/api/public/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
};

/**
 * Returns an error response of the API as one line: status, title, and the errors of single fields or else the detail.
 */
export const refusalOf = ({ status, body }: ApiAnswer): string => {
  const errors = (body.errors ?? []) as { path: string; message: string }[];
  const details = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return `${status} ${body.title ?? ''} ${details || (body.detail ?? '')}`.trim();
};
