export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Calls the stack's API with a key. `path` starts after `/api/public/v1`. An error status is returned, not thrown. */
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

/** The error of a refused call in one line: status, title and details. */
export const refusalOf = ({ status, body }: ApiAnswer): string => {
  const errors = (body.errors ?? []) as { path: string; message: string }[];
  const details = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return `${status} ${body.title ?? ''} ${details || (body.detail ?? '')}`.trim();
};
