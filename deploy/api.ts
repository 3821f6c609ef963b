/** A response of a deployment's API. */
export interface ApiResponse {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Call = (method: string, path: string, key: string | null, body?: object) => Promise<ApiResponse>;

/** The longest wait for the API's response in milliseconds. Longer than the API's own limit of 29 s. */
const TIMEOUT_MS = 35_000;

const causeOf = (error: unknown): string => {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
};

/**
 * Returns a function that calls the API at this address. The function throws if nothing answers, or if the response is
 * not JSON.
 */
export const apiAt =
  (url: string): Call =>
  async (method, path, key, body) => {
    const headers = {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body ? { 'content-type': 'application/json' } : {}),
    };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const request = { method, headers, signal, ...(body ? { body: JSON.stringify(body) } : {}) };
    const response = await fetch(`${url}${path}`, request).catch((error: unknown) => {
      throw new Error(`No response from ${url} (${causeOf(error)})`);
    });
    const text = await response.text();
    try {
      return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
    } catch {
      throw new Error(`${method} ${path} answered ${response.status} without JSON: is ${url} a PassPost deployment?`);
    }
  };

/**
 * Waits for a response and returns it if its status is the expected one. Otherwise throws an error of one line: `step`,
 * which names the call, and the API's problem details, without the request.
 */
export const expectStatus = async (status: number, call: Promise<ApiResponse>, step: string): Promise<ApiResponse> => {
  const response = await call;
  if (response.status === status) return response;
  const { title, detail, errors } = response.body;
  const problem = [title, detail, errors && JSON.stringify(errors)].filter(Boolean).join(' ');
  throw new Error(`${step}: the API answered ${response.status} instead of ${status} (${problem || 'no details'})`);
};
