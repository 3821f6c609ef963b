import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { kindOf, log } from './log.ts';

/**
 * A request of CloudFormation to a custom resource's function.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
 */
const requestSchema = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().optional(),
});

const TRIES = 5;

/**
 * Sends the answer to CloudFormation, in up to five tries, because CloudFormation waits until its own timeout if no
 * answer arrives.
 */
const putAnswer = async (url: string, answer: object, pause: (ms: number) => Promise<unknown>): Promise<void> => {
  const body = Buffer.from(JSON.stringify(answer));
  for (let tryNumber = 1; ; tryNumber++) {
    try {
      // Sends an empty content type, because CloudFormation signed the address for an empty content type.
      const response = await fetch(url, {
        method: 'PUT',
        body,
        headers: { 'content-type': '' },
        signal: AbortSignal.timeout(5_000),
      });
      await response.arrayBuffer();
      if (response.ok) return;
      throw new Error(`CloudFormation's address answered ${response.status}`);
    } catch (error) {
      if (tryNumber === TRIES) throw error;
      await pause(100 * 2 ** tryNumber);
    }
  }
};

/** Waiting and the time in milliseconds, as the handler uses them; a test replaces both. */
export interface Waiting {
  readonly pause: (ms: number) => Promise<unknown>;
  readonly clock: () => number;
}

const realWaiting: Waiting = { pause: sleep, clock: Date.now };

/**
 * The maximum time during which the work is repeated because AWS denies it. IAM takes some seconds, and now and then a
 * minute, until a new role has its permissions everywhere. The key-material function has a timeout of three minutes.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html
 */
export const SETTLING_MS = 90_000;
/** The pause before the second try, which doubles with each try, and its maximum. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;

/** Returns whether AWS refused a call because the role lacks, or does not have yet, the permission for it. */
const isDenied = (error: unknown): boolean => error instanceof Error && /AccessDenied/.test(error.name);

/** Repeats the work while AWS denies it and `SETTLING_MS` are not over. The work must be idempotent. */
const performOnceAllowed = async (perform: () => Promise<void>, { pause, clock }: Waiting): Promise<void> => {
  const endMs = clock() + SETTLING_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await perform();
    } catch (error) {
      if (!isDenied(error) || clock() + pauseMs > endMs) throw error;
      log('warn', 'resource.denied', { retry_in_ms: pauseMs });
      await pause(pauseMs);
    }
  }
};

/**
 * Creates the handler of a custom resource that has one physical id for the stack's whole life. The handler runs
 * `perform` at every creation and update, and again while AWS denies it; a deletion removes nothing. Answer and log name the kind of a failure but not
 * the error's message, which may hold secrets.
 */
export const customResourceHandler =
  (perform: () => Promise<void>, waiting: Waiting = realWaiting) =>
  async (event: unknown): Promise<void> => {
    const { RequestType, ResponseURL, PhysicalResourceId, ...request } = requestSchema.parse(event);
    const answer = {
      StackId: request.StackId,
      RequestId: request.RequestId,
      LogicalResourceId: request.LogicalResourceId,
      PhysicalResourceId: PhysicalResourceId ?? request.LogicalResourceId,
      NoEcho: true,
      Data: {},
    };
    let outcome: object = { Status: 'SUCCESS' };
    try {
      if (RequestType !== 'Delete') await performOnceAllowed(perform, waiting);
    } catch (error) {
      const { kind, at } = kindOf(error);
      log('error', 'resource.failed', { request_id: request.RequestId, kind, at });
      outcome = { Status: 'FAILED', Reason: `${kind}: see the function's log.` };
    }
    await putAnswer(ResponseURL, { ...answer, ...outcome }, waiting.pause);
  };
