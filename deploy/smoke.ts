import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, expectStatus } from './api.ts';
import { isGenuine, startSmokeReceiver } from './smoke-receiver.ts';

export interface SmokeOptions {
  readonly call: Call;
  /** With the operator's key an account is made as well, and deleted again; an account's key must have `keys`, `webhooks` and `events`. */
  readonly key: { readonly of: 'operator' | 'account'; readonly value: string };
  /** Where the webhook is sent to. One that takes it must answer 2xx; of another it is enough that it answers. */
  readonly receiver: { readonly url: string; readonly takes: boolean };
  /** A port of this machine that the receiver's address leads to: then the signature is verified as well. */
  readonly listen: number | null;
  /** How long a delivery may take. */
  readonly withinMs: number;
  say(line: string): void;
}

const v1 = '/api/public/v1';
const TYPE = 'pass.installed';

interface Delivery {
  readonly id: string;
  readonly status: string;
  readonly http_status: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** What was made and how each is taken away again, the last first. */
type Undo = () => Promise<unknown>;

/** Releases before 0.2.0 have no such call: then the account stays, which is told and is no failure. */
const deleteAccount = async ({ call, key }: SmokeOptions, id: unknown, kept: string[]): Promise<void> => {
  const asked = call('DELETE', `${v1}/accounts/${id}`, key.value);
  const { status } = await asked;
  if (status === 404 || status === 405) kept.push(`the account ${id} (DELETE: ${status})`);
  else await expectStatus(204, asked, `the account ${id} is deleted`);
};

const makeKeys = async (options: SmokeOptions, undo: Undo[], kept: string[]): Promise<string> => {
  const { call, key, say } = options;
  const revoke = (id: unknown, by: string) => () =>
    expectStatus(204, call('DELETE', `${v1}/keys/${id}`, by), `the key ${id} is revoked`);
  let first = key.value;
  if (key.of === 'operator') {
    const made = call('POST', `${v1}/accounts`, key.value, { name: 'Smoke test' });
    const { body } = await expectStatus(201, made, 'an account is made');
    undo.push(() => deleteAccount(options, body.id, kept));
    first = String(body.key);
    const { body: keys } = await expectStatus(200, call('GET', `${v1}/keys`, first), 'its key is listed');
    const [listed] = keys.data as readonly { id: string }[];
    undo.push(revoke(listed?.id, first));
    say(`✓ an account is made, ${body.id}`);
  }
  const scopes = ['webhooks:read', 'webhooks:write', 'events:read', 'events:write'];
  const made = await expectStatus(
    201,
    call('POST', `${v1}/keys`, first, { name: 'smoke test', scopes }),
    'a key is made',
  );
  undo.push(revoke(made.body.id, first));
  const own = String(made.body.key);
  await expectStatus(403, call('GET', `${v1}/tasks`, own), 'a key without a scope is refused');
  say('✓ a key is made, and refused what it has no scope for');
  return own;
};

const settledOrTried = async (call: Call, key: string, webhook: string, withinMs: number): Promise<Delivery> => {
  for (const end = Date.now() + withinMs; ; await sleep(250)) {
    const listed = call('GET', `${v1}/webhooks/${webhook}/deliveries`, key);
    const { body } = await expectStatus(200, listed, 'the deliveries are listed');
    const [delivery] = body.data as readonly Delivery[];
    if (delivery && delivery.status !== 'pending') return delivery;
    if (Date.now() > end) throw new Error(`no attempt was made within ${withinMs / 1000} s: see docs/runbook.md`);
  }
};

const deliver = async (key: string, options: SmokeOptions, undo: Undo[]): Promise<void> => {
  const { call, receiver, listen, withinMs, say } = options;
  const own = listen === null ? null : await startSmokeReceiver(listen);
  if (own) undo.push(own.stop);
  const { url, takes } = receiver;
  // Through the surface whose deletion also takes a webhook's history.
  const made = call('POST', '/v1/webhooks', key, { url, events: [TYPE], description: 'smoke test' });
  const { body: webhook } = await expectStatus(201, made, `a webhook is registered for ${url}`);
  undo.push(() => expectStatus(204, call('DELETE', `/v1/webhooks/${webhook.id}`, key), 'the webhook is deleted'));

  const published = call('POST', `${v1}/events`, key, { type: TYPE, data: { smoke: true } });
  const { body: event } = await expectStatus(202, published, 'an event is published');
  undo.push(() =>
    expectStatus(204, call('DELETE', `${v1}/events/${event.id}/payload`, key), "the event's content is deleted"),
  );
  const { status, http_status, error } = await settledOrTried(call, key, String(webhook.id), withinMs);
  const came = `${http_status ?? 'no answer'}${error ? `, ${error.code}: ${error.message}` : ''}`;
  if (!takes) {
    if (http_status === null) throw new Error(`the POST to ${url} was not answered (${came})`);
    say(`✓ an event became a POST that left the deployment and was answered by ${url} (${http_status})`);
    say('  what a receiver makes of it is not checked: give one that answers 2xx with --receiver');
    return;
  }
  if (status !== 'delivered') throw new Error(`the receiver did not take the webhook (${came})`);
  say(`✓ an event was delivered to the receiver (${http_status})`);
  if (!own) {
    say('  its signature is not checked: with --listen the receiver may lead to this machine');
    return;
  }
  const [received, ...more] = own.received;
  if (!received) throw new Error(`the receiver took the webhook, but it does not lead to port ${own.port} here`);
  if (!isGenuine(received, String(webhook.secret), Date.now())) throw new Error('the signature that arrived is wrong');
  if (JSON.parse(received.body).id !== event.id) throw new Error('another event arrived than was published');
  say(`✓ it arrived here${more.length > 0 ? ` (${1 + more.length} times)` : ''}, and its signature is right`);
};

/** Goes once through a whole deployment as its users do, and takes away what it made. Throws where something is not as it should be. */
export const smoke = async (options: SmokeOptions): Promise<void> => {
  const { call, say } = options;
  await expectStatus(200, call('GET', '/health', null), 'the API is healthy');
  await expectStatus(401, call('GET', `${v1}/tasks`, null), 'a request without a key is refused');
  const { body: jwks } = await expectStatus(
    200,
    call('GET', '/.well-known/jwks.json', null),
    'the public keys are there',
  );
  if (!Array.isArray(jwks.keys) || jwks.keys.length === 0) throw new Error('no public keys are published');
  say('✓ the API answers, refuses whoever has no key, and publishes its public keys');

  const undo: Undo[] = [];
  const kept: string[] = [];
  let failure: unknown;
  try {
    await deliver(await makeKeys(options, undo, kept), options, undo);
  } catch (error) {
    failure = error;
  }
  const left: string[] = [];
  for (const step of undo.reverse()) await step().catch((error: Error) => left.push(error.message));
  for (const what of kept) say(`  left behind: ${what}: releases before 0.2.0 delete no accounts`);
  if (left.length > 0) {
    const told = `something is left behind: ${left.join('; ')}`;
    throw new Error(failure instanceof Error ? `${failure.message}; and ${told}` : told);
  }
  if (failure) throw failure;
  const isAccountGone = options.key.of === 'operator' && kept.length === 0;
  say(`✓ webhook, deliveries, content${isAccountGone ? ', keys and the account' : ' and keys'} are gone again`);
};
