import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, expectStatus } from './api.ts';
import { isGenuine, startSmokeReceiver } from './smoke-receiver.ts';

export interface SmokeOptions {
  readonly call: Call;
  /**
   * The key for the smoke test's calls. With the operator's key, the smoke test creates an account and deletes it
   * again. An account's key needs the scopes of `keys`, `webhooks` and `events`.
   */
  readonly key: { readonly of: 'operator' | 'account'; readonly value: string };
  /**
   * The URL of the receiver to which the deployment sends an event. If `accepts` is true, the smoke test fails unless the
   * receiver answers 2xx; otherwise the smoke test accepts any answer.
   */
  readonly receiver: { readonly url: string; readonly accepts: boolean };
  /**
   * A port of this machine to which the receiver's URL leads, so that the signature can be verified; `null` skips this
   * check.
   */
  readonly listen: number | null;
  /** The longest wait for the first attempt of the delivery. */
  readonly withinMs: number;
  /** Prints one line. */
  say(line: string): void;
}

const v1 = '/api/public/v1';
const TYPE = 'pass.installed';
/** A path that no route has, so the gateway calls the function fallback-api. */
const UNKNOWN_PATH = '/no-such-path';

interface Delivery {
  readonly id: string;
  readonly status: string;
  readonly http_status: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A step that deletes one thing that the smoke test created. The steps run in the reverse order of creation. */
type Undo = () => Promise<unknown>;

/**
 * Deletes the account that the smoke test created. A release before 0.2.0 cannot delete accounts: a sentence about the
 * account is then added to `remaining`, the list of what was not deleted, and the smoke test still passes.
 */
const deleteAccount = async ({ call, key }: SmokeOptions, id: unknown, remaining: string[]): Promise<void> => {
  const deletion = call('DELETE', `${v1}/accounts/${id}`, key.value);
  const { status } = await deletion;
  if (status === 404 || status === 405) remaining.push(`The account ${id} was not deleted (DELETE answered ${status})`);
  else await expectStatus(204, deletion, `deleting the account ${id}`);
};

const createKeys = async (options: SmokeOptions, undo: Undo[], remaining: string[]): Promise<string> => {
  const { call, key, say } = options;
  const revoke = (id: unknown, by: string) => () =>
    expectStatus(204, call('DELETE', `${v1}/keys/${id}`, by), `revoking the key ${id}`);
  let first = key.value;
  if (key.of === 'operator') {
    const creation = call('POST', `${v1}/accounts`, key.value, { name: 'Smoke test' });
    const { body } = await expectStatus(201, creation, 'creating an account');
    undo.push(() => deleteAccount(options, body.id, remaining));
    first = String(body.key);
    const { body: keys } = await expectStatus(200, call('GET', `${v1}/keys`, first), "listing the account's keys");
    const [listed] = keys.data as readonly { id: string }[];
    undo.push(revoke(listed?.id, first));
    say(`✓ The smoke test created the account ${body.id}`);
  }
  const scopes = ['webhooks:read', 'webhooks:write', 'events:read', 'events:write'];
  const { body: created } = await expectStatus(
    201,
    call('POST', `${v1}/keys`, first, { name: 'smoke test', scopes }),
    'creating a key',
  );
  undo.push(revoke(created.id, first));
  const smokeKey = String(created.key);
  await expectStatus(403, call('GET', `${v1}/tasks`, smokeKey), 'a call without the scope for tasks');
  say('✓ The smoke test created a key, and the API refuses a call for which the key has no scope');
  return smokeKey;
};

/**
 * Waits until the first attempt of the webhook's delivery is recorded, and returns the delivery. Throws after
 * `withinMs`.
 */
const waitForAttempt = async (call: Call, key: string, webhook: string, withinMs: number): Promise<Delivery> => {
  for (const end = Date.now() + withinMs; ; await sleep(250)) {
    const listed = call('GET', `${v1}/webhooks/${webhook}/deliveries`, key);
    const { body } = await expectStatus(200, listed, 'listing the deliveries');
    const [delivery] = body.data as readonly Delivery[];
    if (delivery && delivery.status !== 'pending') return delivery;
    if (Date.now() > end) throw new Error(`No attempt was recorded within ${withinMs / 1000} s: see docs/runbook.md`);
  }
};

const deliver = async (key: string, options: SmokeOptions, undo: Undo[]): Promise<void> => {
  const { call, receiver, listen, withinMs, say } = options;
  const local = listen === null ? null : await startSmokeReceiver(listen);
  if (local) undo.push(local.stop);
  const { url, accepts } = receiver;
  // Registers the webhook through PassMint's API, because the deletion of a webhook through PassMint's API, as in the
  // cleanup, also deletes the webhook's deliveries.
  const registration = call('POST', '/v1/webhooks', key, { url, events: [TYPE], description: 'smoke test' });
  const { body: webhook } = await expectStatus(201, registration, `registering a webhook for ${url}`);
  undo.push(() => expectStatus(204, call('DELETE', `/v1/webhooks/${webhook.id}`, key), 'deleting the webhook'));

  const publication = call('POST', `${v1}/events`, key, { type: TYPE, data: { smoke: true } });
  const { body: event } = await expectStatus(202, publication, 'publishing an event');
  undo.push(() =>
    expectStatus(204, call('DELETE', `${v1}/events/${event.id}/payload`, key), "deleting the event's content"),
  );
  const { status, http_status, error } = await waitForAttempt(call, key, String(webhook.id), withinMs);
  const result = `${http_status ?? 'no answer'}${error ? `, ${error.code}: ${error.message}` : ''}`;
  if (!accepts) {
    if (http_status === null) throw new Error(`The POST to ${url} got no answer (${result})`);
    say(`✓ The deployment sent an event as a POST, and ${url} answered ${http_status}`);
    say('  It is not checked that a receiver accepts the event: name a receiver that answers 2xx with --receiver');
    return;
  }
  if (status !== 'delivered') throw new Error(`The receiver did not accept the webhook (${result})`);
  say(`✓ The event was delivered to the receiver, which answered ${http_status}`);
  if (!local) {
    say('  The signature is not checked: use --listen with a receiver URL that leads to this machine');
    return;
  }
  const [received, ...repeats] = local.received;
  if (!received) {
    throw new Error(`The receiver accepted the webhook, but nothing arrived at port ${local.port} of this machine`);
  }
  if (!isGenuine(received, String(webhook.secret), Date.now()))
    throw new Error('The webhook arrived with a wrong signature');
  if (JSON.parse(received.body).id !== event.id) throw new Error('The event that arrived is not the published one');
  say(
    `✓ The event arrived at this machine${repeats.length > 0 ? ` (${1 + repeats.length} times)` : ''} with a valid signature`,
  );
};

/**
 * Uses a deployment once as its users do (account, key, webhook, event, delivery), then deletes everything that was
 * created. Throws if a step fails or if something could not be deleted.
 */
export const smoke = async (options: SmokeOptions): Promise<void> => {
  const { call, say } = options;
  await expectStatus(200, call('GET', '/health', null), 'reading the health of the API');
  await expectStatus(401, call('GET', `${v1}/tasks`, null), 'a call without a key');
  const { body: problem } = await expectStatus(404, call('GET', UNKNOWN_PATH, null), 'a call to an unknown path');
  if (problem.type !== '/problems/not_found') {
    throw new Error('The gateway itself answered a call to an unknown path: fallback-api must answer it');
  }
  say('✓ The API answers, and refuses a call without a key and an unknown path');

  const undo: Undo[] = [];
  const remaining: string[] = [];
  let failure: unknown;
  try {
    await deliver(await createKeys(options, undo, remaining), options, undo);
  } catch (error) {
    failure = error;
  }
  const errors: string[] = [];
  for (const step of undo.reverse()) await step().catch((error: Error) => errors.push(error.message));
  for (const thing of remaining) say(`  ${thing}: releases before 0.2.0 cannot delete accounts`);
  if (errors.length > 0) {
    const message = `Not everything was deleted: ${errors.join('; ')}`;
    throw new Error(failure instanceof Error ? `${failure.message}. ${message}` : message);
  }
  if (failure) throw failure;
  const isAccountDeleted = options.key.of === 'operator' && remaining.length === 0;
  say(
    `✓ The smoke test deleted the webhook, its deliveries, the event's content${isAccountDeleted ? ', the keys and the account' : ' and the keys'}`,
  );
};
