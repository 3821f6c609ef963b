import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { describeError, log } from './log.ts';

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
const putAnswer = async (url: string, answer: object): Promise<void> => {
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
      await sleep(100 * 2 ** tried);
    }
  }
};

/**
 * A function behind a custom resource that is one and the same for the stack's whole life. `perform` runs at every
 * creation and update; a deletion takes nothing away. The answer says whether it went well, and of a failure its kind only.
 */
export const customResourceHandler =
  (perform: () => Promise<void>) =>
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
    try {
      if (RequestType !== 'Delete') await perform();
    } catch (error) {
      log('error', 'resource.failed', { request_id: request.RequestId, error: describeError(error) });
      const kind = error instanceof Error ? error.name : typeof error;
      await putAnswer(ResponseURL, { ...answer, Status: 'FAILED', Reason: `${kind}: see the function's log.` });
      return;
    }
    await putAnswer(ResponseURL, { ...answer, Status: 'SUCCESS' });
  };
