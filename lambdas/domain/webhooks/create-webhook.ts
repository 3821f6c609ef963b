import type { Profile, SigningAlg } from '../deliveries/profile.ts';
import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { customerOfNew } from '../foundation/customer.ts';
import { type FieldError, PassPostError, refuseFaults } from '../foundation/errors.ts';
import { drawId } from '../foundation/id.ts';
import {
  type AnswerWithSecret,
  answerOnce,
  type FirstAnswer,
  type IdempotentRequest,
  type KeyedAnswer,
} from '../foundation/idempotency.ts';
import { routesFaults, type WebhookRoutes, webhookRoutes } from './event-routing.ts';
import { createSecret, sealSecret } from './secret.ts';
import {
  hasFaultAt,
  profileNamed,
  type SettingsContext,
  settingsFaults,
  type WebhookRules,
} from './validate-webhook.ts';
import type { SealPurpose, StoredWebhook } from './webhook.ts';
import type { NewWebhook } from './webhook-input.ts';
import { type WebhookView, webhookToView } from './webhook-view.ts';

/** The maximum number of webhooks that an account may have in each mode. */
export const MOST_WEBHOOKS = 1000;

/**
 * The maximum number of webhooks that an account may have in each mode together with deleted webhooks whose deliveries
 * can still be read. Every read of the deliveries of an event looks at all of them.
 */
export const MOST_WITH_DELETED = 2000;

/** The maximum number of webhooks with one URL in each mode of an account: one event must not cause many requests to it. */
export const MOST_WITH_URL = 10;

/** Creates the error of a webhook that would exceed `MOST_WITH_URL`. */
export const tooManyWithUrl = (): PassPostError => {
  const message = `An account has at most ${MOST_WITH_URL} webhooks with one URL in each mode.`;
  return new PassPostError('too_many_webhooks', message, {
    errors: [{ path: 'url', code: 'too_many_webhooks', message }],
  });
};

export interface NewWebhookStore {
  firstAnswer(owner: string, idempotencyKey: string, nowMs: number): Promise<FirstAnswer<WebhookView> | null>;
  /**
   * Adds the webhook, its routes, the first answer of the request's Idempotency-Key and the audit entry, in one
   * transaction. Returns 'full' if the account already has `MOST_WEBHOOKS` webhooks, 'full_deleted' if it has
   * `MOST_WITH_DELETED` with the deleted ones, and 'full_url' if it has `MOST_WITH_URL` with this URL. Returns
   * 'recounted' if the number of deleted webhooks was too high and is right now.
   */
  create(
    webhook: StoredWebhook,
    routes: WebhookRoutes,
    firstAnswer: Omit<KeyedAnswer<WebhookView>, 'path'> | null,
    entry: StoredAuditEntry,
    nowMs: number,
  ): Promise<'created' | 'repeated' | 'full' | 'full_deleted' | 'full_url' | 'recounted' | 'busy'>;
}

/**
 * Encrypts a secret text of a webhook, or a private key of an account. Only the deliver function can decrypt it, and only
 * as a text of the same webhook (or key id) with the same purpose.
 */
export type Seal = (owner: string, id: string, purpose: SealPurpose, text: string) => Promise<string>;

/**
 * Gives an owner a signing key of an algorithm unless it has one. Absent on an API whose profile needs no such key.
 */
export type ProvideSigningKey = (owner: string, alg: SigningAlg, nowMs: number) => Promise<unknown>;

export interface CreateWebhookRequest extends IdempotentRequest {
  readonly owner: string;
  /** The customer of the account to whom the caller's key is bound. */
  readonly customer: string | null;
  readonly body: NewWebhook;
  readonly by: Actor;
  readonly nowMs: number;
}

export interface CreateWebhookDependencies {
  readonly store: NewWebhookStore;
  readonly rules: WebhookRules;
  readonly seal: Seal;
  readonly provideSigningKey?: ProvideSigningKey | undefined;
}

/** Gives the owner of a webhook the signing key that the webhook's requests need, if they need a key of the account. */
export const provideKeyFor = async (
  { owner, profile_options }: Pick<StoredWebhook, 'owner' | 'profile_options'>,
  profile: Profile,
  provide: ProvideSigningKey | undefined,
  nowMs: number,
): Promise<void> => {
  const source = profile.signingKey?.(profile_options) ?? null;
  if (source === null || source === 'webhook') return;
  if (!provide) throw new Error(`this API cannot create the ${source} key that the profile ${profile.name} needs`);
  await provide(owner, source, nowMs);
};

/**
 * Returns a webhook's custom headers as its row holds them: the names as given, and a sealed JSON object that maps each
 * name in lower case to its unchanged value. `null` = none.
 */
export const sealHeaders = async (
  headers: Readonly<Record<string, string>> | null,
  seal: (text: string) => Promise<string>,
): Promise<StoredWebhook['headers']> => {
  const names = Object.keys(headers ?? {});
  if (!headers || names.length === 0) return null;
  const sent = Object.fromEntries(names.map((name) => [name.toLowerCase(), headers[name]]));
  return { names, sealed: await seal(JSON.stringify(sent)) };
};

const newWebhook = async (
  { owner, customer, body, nowMs }: CreateWebhookRequest,
  secret: string,
  profile: Profile,
  seal: Seal,
): Promise<StoredWebhook> => {
  const { secret: _own, owner: named, basic_auth, headers, ...settings } = body;
  const id = drawId('whk', nowMs);
  const sealed = (purpose: SealPurpose, text: string): Promise<string> => seal(owner, id, purpose, text);
  const now = new Date(nowMs).toISOString();
  return {
    ...settings,
    id,
    owner,
    customer: customerOfNew(customer, named, 'owner'),
    events: [...new Set(body.events)],
    disabled_reason: body.enabled ? null : 'manual',
    profile_options: profile.options.parse(body.profile_options) as Record<string, unknown>,
    api_version: body.api_version ?? profile.apiVersions[0] ?? '',
    secrets: [await sealSecret(secret, profile, sealed)],
    basic_auth: basic_auth && { username: basic_auth.username, sealed: await sealed('password', basic_auth.password) },
    headers: await sealHeaders(headers, (text) => sealed('headers', text)),
    version: 1,
    created_at: now,
    updated_at: now,
    routed_at: now,
    deleted_at: null,
  };
};

/** Returns the faults, beyond the schema, of a new webhook or of those of its fields that the schema accepts. */
export const newWebhookFaults = async (
  { owner, customer }: { readonly owner: string; readonly customer: string | null },
  body: Partial<NewWebhook>,
  rules: WebhookRules,
): Promise<readonly FieldError[]> => {
  const context: SettingsContext = {
    owner,
    isOfCustomer: customer !== null || (body.owner ?? null) !== null,
    allowHttp: body.allow_http ?? false,
    hasBasicAuth: body.basic_auth !== undefined && body.basic_auth !== null,
    unchangedHeaderNames: [],
  };
  const faults = await settingsFaults(body, context, body.profile, rules);
  const profile = body.profile === undefined ? undefined : rules.profiles[body.profile];
  const { events, resource } = body;
  if (!profile || !events || resource === undefined || hasFaultAt(faults, 'events')) return faults;
  // The id of a webhook always has the same length, so any id shows how long the routing rows become.
  return [
    ...faults,
    ...routesFaults(webhookRoutes({ id: drawId('whk', 0), customer: null, events, resource }, profile)),
  ];
};

const refusalOf = (reason: 'full' | 'full_deleted' | 'full_url' | 'recounted' | 'busy'): PassPostError => {
  switch (reason) {
    case 'full':
      return new PassPostError('conflict', `An account has at most ${MOST_WEBHOOKS} webhooks in each mode.`);
    case 'full_deleted':
      return new PassPostError(
        'too_many_webhooks',
        `An account has at most ${MOST_WITH_DELETED} webhooks in each mode, deleted ones included until their deliveries expire.`,
      );
    case 'full_url':
      return tooManyWithUrl();
    default:
      return new PassPostError('conflict', 'Too many changes of webhooks at the same time. Please try again.');
  }
};

/** Registers a webhook. The answer shows its secret, generated or given, once. Throws `invalid` or `conflict`. */
export const createWebhook = (
  request: CreateWebhookRequest,
  { store, rules, seal, provideSigningKey }: CreateWebhookDependencies,
): Promise<AnswerWithSecret<WebhookView>> => {
  const { owner, body, by, idempotencyKey, contentHash, nowMs } = request;

  const perform = async (): Promise<AnswerWithSecret<WebhookView> | 'repeated'> => {
    refuseFaults(await newWebhookFaults(request, body, rules));
    const profile = profileNamed(body.profile, rules);
    const secret = body.secret ?? createSecret();
    const webhook = await newWebhook(request, secret, profile, seal);
    await provideKeyFor(webhook, profile, provideSigningKey, nowMs);
    const routes = webhookRoutes(webhook, profile);
    const answer = webhookToView(webhook);
    const keyed = idempotencyKey === null ? null : { idempotencyKey, contentHash, answer };
    const entry = auditEntry(by, 'webhook.created', webhook.id, nowMs);
    const create = () => store.create(webhook, routes, keyed, entry, nowMs);
    const first = await create();
    const outcome = first === 'recounted' ? await create() : first;
    if (outcome === 'created') return { answer, secret };
    if (outcome === 'repeated') return outcome;
    throw refusalOf(outcome);
  };

  return answerOnce(request, (key) => store.firstAnswer(owner, key, nowMs), perform);
};
