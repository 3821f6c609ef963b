/** A deployment's API, as any client would call it. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Call = (method: string, path: string, key: string | null, body?: object) => Promise<Answer>;

/** Longer than the API's own limit of 29 s. */
const TIMEOUT_MS = 35_000;

const causeOf = (error: unknown): string => {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
};

export const apiAt =
  (url: string): Call =>
  async (method, path, key, body) => {
    const headers = {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body ? { 'content-type': 'application/json' } : {}),
    };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const sent = { method, headers, signal, ...(body ? { body: JSON.stringify(body) } : {}) };
    const response = await fetch(`${url}${path}`, sent).catch((error: unknown) => {
      throw new Error(`nothing answers at ${url} (${causeOf(error)})`);
    });
    const text = await response.text();
    try {
      return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
    } catch {
      throw new Error(`${method} ${path} answers ${response.status}, not with JSON: is ${url} a PassPost?`);
    }
  };

/** The answer where it has this status; else what the API said, in one line and without the request. */
export const expectStatus = async (status: number, asked: Promise<Answer>, what: string): Promise<Answer> => {
  const answer = await asked;
  if (answer.status === status) return answer;
  const { title = '', detail = '', errors } = answer.body;
  throw new Error(
    `${what}: ${status} was expected, not ${answer.status} ${title} ${detail} ${JSON.stringify(errors ?? '')}`,
  );
};
