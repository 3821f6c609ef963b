import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { kindOf, log } from './log.ts';

/** What CloudFormation asks of a custom resource's function. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html */
const requestSchema = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().optional(),
});

const TRIES = 5;

/** Without an answer CloudFormation waits until its own timeout, so a few tries are worth it. */
const putAnswer = async (url: string, answer: object, pause: (ms: number) => Promise<unknown>): Promise<void> => {
  const body = Buffer.from(JSON.stringify(answer));
  for (let tried = 1; ; tried++) {
    try {
      // The address is signed for an empty content type.
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
      if (tried === TRIES) throw error;
      await pause(100 * 2 ** tried);
    }
  }
};

/**
 * A function behind a custom resource that is one and the same for the stack's whole life. `perform` runs at every
 * creation and update; a deletion takes nothing away. Answer and log say of a failure its kind and place only.
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
