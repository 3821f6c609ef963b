import type net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createEgress } from '../../../lambdas/adapters/sending/egress.ts';
import { createSender } from '../../../lambdas/adapters/sending/http-sender.ts';
import { storedDeliverySchema } from '../../../lambdas/domain/deliveries/delivery.ts';
import { deliveryId } from '../../../lambdas/domain/foundation/id.ts';
import { attemptDelivery } from '../../../lambdas/domain/sending/attempt-delivery.ts';
import { outcomeLine } from '../../../lambdas/domain/sending/delivery-report.ts';
import { profileOf } from '../../../lambdas/profiles/index.ts';
import { describeError } from '../../../lambdas/runtime/log.ts';
import { serveRaw } from '../../helpers/receiver.ts';
import { anEvent, aWebhook } from '../../helpers/virtual-engine.ts';

const secret = 'very-s3cret-query';
const material = { secrets: ['whsec_never-shown'], privateKeys: [] } as const;

/**
 * Makes one attempt with the postmen profile over a real connection. Returns the attempt and its log line as text, or the
 * log line and the described error if the attempt throws.
 */
const attempt = async (url: string, { isAborted = false, allowLoopback = true } = {}) => {
  // The name server finds no address for any name.
  const egress = createEgress({ allowLoopback, lookup: async () => [] });
  onTestFinished(() => egress.close());
  const { post } = createSender({ egress, ownHosts: [] });
  const webhook = aWebhook({ profile: 'postmen', url, allow_http: true });
  const event = anEvent({ type: 'calculate_rates' });
  const id = deliveryId(Date.parse(event.created_at), event.id, webhook.id);
  const delivery = storedDeliverySchema.parse({
    id,
    owner: 'acc_1#live',
    event_id: event.id,
    event_type: event.type,
    status: 'pending',
    trigger: 'schedule',
    ticket: 1,
    step: 0,
    attempts_made: 0,
    due_at: Date.now(),
    parked: false,
    created_at: event.created_at,
    settled_at: null,
  });
  const ticket = { deliveryId: id, ticket: 1, owner: 'acc_1#live', eventId: event.id, dueAtMs: delivery.due_at };
  const base = { messageId: 'm-1', ticket, webhook, event, delivery };
  try {
    const attempted = await attemptDelivery(delivery, event, webhook, {
      profileOf,
      open: async () => ({ material, password: 'basic-p4ssword', headers: { 'x-api-key': 'h3ader-value' } }),
      post: (request) => post({ ...request, timeoutMs: 300, ...(isAborted && { signal: AbortSignal.abort() }) }),
      clock: Date.now,
    });
    const line = outcomeLine({ ...base, outcome: 'refused', attempted, cause: null }, 'fast');
    return { records: JSON.stringify([attempted, line]), code: attempted.attempt.error?.code };
  } catch (error) {
    const line = outcomeLine({ ...base, outcome: 'failed', attempted: null, cause: error }, 'fast');
    return { records: JSON.stringify([line, describeError(error)]), code: 'thrown' };
  }
};

const expectNoSecret = (text: string): void => {
  for (const hidden of [secret, '?', 'p4ssword', 'h3ader-value', 'never-shown']) expect(text).not.toContain(hidden);
};

describe('the secret in the query of a webhook URL', () => {
  const query = `/hook?secret=${secret}&v=1`;
  const answers: [string, (socket: net.Socket, request: string) => void][] = [
    ['refused_status', (socket) => socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno')],
    ['redirect', (socket) => socket.end(`HTTP/1.1 302 Found\r\nlocation: ${query}\r\ncontent-length: 0\r\n\r\n`)],
    ['not_http', (socket, request) => socket.end(`SSH-2.0 ${request.split('\r\n')[0]}\r\n\r\n`)],
    ['connection_reset', (socket) => socket.destroy()],
    ['timeout', () => {}],
  ];

  test.each(answers)(
    'PM-8 PM reading 5: is sent to the receiver, and after the outcome %s is neither in the attempt nor in the log line',
    async (code, answer) => {
      const receiver = await serveRaw(answer);

      const result = await attempt(`http://${receiver.host}${query}`);

      expect(receiver.received[0]).toContain(`POST ${query} HTTP/1.1`);
      expect(result.code).toBe(code);
      expectNoSecret(result.records);
    },
  );

  test('PM reading 5: is replaced by *** in the attempt and the log line if a 404 response repeats it', async () => {
    const receiver = await serveRaw((socket, request) => {
      const body = JSON.stringify({ cannot: request.split(' ')[1], headers: 'none', secret });
      socket.end(`HTTP/1.1 404 Not Found\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });

    const result = await attempt(`http://${receiver.host}${query}`);

    expect(result.records).toContain('/hook?***');
    expect(result.records).not.toContain(secret);
  });

  test.each([
    ['connection_refused', `http://127.0.0.1:1${query}`, {}],
    ['dns', `https://no-such-host.invalid${query}`, {}],
    ['forbidden_address', `http://127.0.0.1:1${query}`, { allowLoopback: false }],
    ['thrown', `http://127.0.0.1:1${query}`, { isAborted: true }],
  ])(
    'PM reading 5: is in no attempt, log line or logged error when nothing was sent (outcome %s)',
    async (code, url, options) => {
      const result = await attempt(url, options);

      expect(result.code).toBe(code);
      expectNoSecret(result.records);
    },
  );
});
