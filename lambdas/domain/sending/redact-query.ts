import { requestTarget } from '../webhooks/webhook-url.ts';

const REDACTED = '***';
/**
 * The shortest query value, in characters, that is redacted. Redacting shorter values would make every text unreadable.
 */
const SHORTEST_SECRET = 8;

const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return value;
  }
};

/**
 * Returns the text with `***` in place of the URL's query and of each long value in the query. The query may hold the
 * receiver's secret, and receivers may repeat a request's URL in their answer.
 */
export const redactQuery = (text: string, url: string): string => {
  const target = requestTarget(url);
  const start = target.indexOf('?') + 1;
  const query = start > 0 ? target.slice(start) : '';
  const values = query.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const secrets = [...values, ...values.map(decoded)].filter((value) => value.length >= SHORTEST_SECRET);
  return [query, ...secrets.toSorted((a, b) => b.length - a.length)]
    .filter((secret) => secret !== '')
    .reduce((redacted, secret) => redacted.replaceAll(secret, REDACTED), text);
};
