import { requestTarget } from '../webhooks/webhook-url.ts';

const REDACTED = '***';
/** A shorter value is no secret worth the name, and hiding it would tear holes into every text. */
const SHORTEST_SECRET = 8;

const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return value;
  }
};

/** A text without a URL's query, whole or by its values: it may be the receiver's secret, and receivers repeat what they were sent. */
export const redactQuery = (text: string, url: string): string => {
  const target = requestTarget(url);
  const start = target.indexOf('?') + 1;
  const query = start > 0 ? target.slice(start) : '';
  const values = query.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const secrets = [...values, ...values.map(decoded)].filter((value) => value.length >= SHORTEST_SECRET);
  return [query, ...secrets.toSorted((a, b) => b.length - a.length)]
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
};
