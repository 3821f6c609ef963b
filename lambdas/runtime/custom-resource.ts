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

/**
 * Creates the handler of a custom resource that has one physical id for the stack's whole life. The handler runs
 * `perform` at every creation and update; a deletion removes nothing. Answer and log name the kind of a failure but not
 * the error's message, which may hold secrets.
 */
export const customResourceHandler =
  (perform: () => Promise<void>, pause: (ms: number) => Promise<unknown> = sleep) =>
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
      if (RequestType !== 'Delete') await perform();
    } catch (error) {
      const { kind, at } = kindOf(error);
      log('error', 'resource.failed', { request_id: request.RequestId, kind, at });
      outcome = { Status: 'FAILED', Reason: `${kind}: see the function's log.` };
    }
    await putAnswer(ResponseURL, { ...answer, ...outcome }, pause);
  };
