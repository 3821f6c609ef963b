import type { Attempt, AttemptErrorCode, StoredDelivery } from '../deliveries/delivery.ts';
import type { Profile, ResponseClass, SigningKeySource, SigningMaterial } from '../deliveries/profile.ts';
import type { StoredEvent } from '../events/event.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import { redactSecrets } from './redact-secrets.ts';

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly allowHttp: boolean;
}

/** The receiver's answer to one POST request, or the error if no answer came. */
export interface Answer {
  readonly status: number | null;
  /** The start of the response body: at most 2,000 code points. */
  readonly body: string | null;
  readonly retryAfter: string | null;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly error: { readonly code: AttemptErrorCode; readonly message: string } | null;
}

/** A webhook's decrypted values: the keys that sign its requests, its Basic auth password and its custom headers. */
export interface OpenedWebhook {
  readonly material: SigningMaterial;
  readonly password: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** The keys that the profile of a webhook signs with: the valid secrets, and private keys. */
export interface KeyUse {
  readonly rotation: Profile['rotation'];
  readonly signingKey: SigningKeySource;
}

export interface AttemptDependencies {
  readonly profileOf: (name: string) => Profile;
  /**
   * Decrypts the secrets and keys that sign requests of the webhook at `nowMs`. Throws if the keyring or the account's
   * signing keys cannot be read.
   */
  readonly open: (webhook: StoredWebhook, use: KeyUse, nowMs: number) => Promise<OpenedWebhook>;
  readonly post: (request: PostRequest) => Promise<Answer>;
  readonly clock: () => number;
}

/** The result of one attempt of a delivery. */
export interface Attempted {
  readonly attempt: Attempt;
  readonly responseClass: ResponseClass;
  /** The `Retry-After` header of a 429 or 503 answer; null for any other answer. */
  readonly retryAfter: string | null;
}

/**
 * The header that marks a test delivery, for every profile: receivers ignore headers that they do not know, and no
 * signature covers headers.
 */
const TEST_HEADER = { 'x-passpost-test': 'true' } as const;

const basicAuthorization = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

const attemptError = (responseClass: ResponseClass, answer: Answer): Attempt['error'] => {
  if (answer.error) return { ...answer.error };
  if (responseClass === 'delivered') return null;
  if (responseClass === 'gone')
    return { code: 'gone', message: 'The receiver answered 410 and wants no further deliveries.' };
  return { code: 'refused_status', message: `The receiver answered ${answer.status}.` };
};

/**
 * Makes one attempt of a delivery: renders, signs and sends the request once, and returns the classified answer. Each
 * attempt has its own timestamp and signature.
 */
export const attemptDelivery = async (
  delivery: StoredDelivery,
  event: StoredEvent,
  webhook: StoredWebhook,
  { profileOf, open, post, clock }: AttemptDependencies,
): Promise<Attempted> => {
  const profile = profileOf(webhook.profile);
  const sentAtMs = clock();
  const options = profile.options.parse(webhook.profile_options);
  const use = { rotation: profile.rotation, signingKey: profile.signingKey?.(options) ?? null };
  const opened = await open(webhook, use, sentAtMs);
  const rendered = profile.render(
    {
      deliveryId: delivery.id,
      eventId: event.id,
      eventType: event.type,
      createdAt: event.created_at,
      dataJson: event.data,
      metaJson: event.meta,
      resource: event.resource,
      apiVersion: webhook.api_version,
    },
    opened.material,
    options,
    new Date(sentAtMs),
  );
  const basicAuth =
    webhook.basic_auth && opened.password !== null
      ? { username: webhook.basic_auth.username, password: opened.password }
      : null;
  const headers = {
    ...opened.headers,
    ...(basicAuth ? { authorization: basicAuthorization(basicAuth) } : {}),
    ...rendered.headers,
    ...(delivery.test && TEST_HEADER),
  };
  const answer = await post({
    url: webhook.url,
    headers,
    body: rendered.body,
    timeoutMs: webhook.timeout_seconds * 1000,
    allowHttp: webhook.allow_http,
  });
  const secrets = opened.material.secrets;
  const sent = { url: webhook.url, ownHeaders: opened.headers, basicAuth, signingSecrets: secrets, rendered };
  const responseClass = answer.error || answer.status === null ? 'refused' : profile.classify(answer.status);
  return {
    responseClass,
    retryAfter: answer.status === 429 || answer.status === 503 ? answer.retryAfter : null,
    attempt: {
      number: delivery.attempts_made + 1,
      trigger: delivery.sent_now ? 'manual' : delivery.trigger,
      due_at: delivery.due_at,
      started_at: answer.startedAtMs,
      duration_ms: answer.durationMs,
      http_status: answer.status,
      response_body: answer.body && redactSecrets(answer.body, sent),
      has_body_row: false,
      error: attemptError(responseClass, answer),
      request_headers: Object.keys(headers),
    },
  };
};
