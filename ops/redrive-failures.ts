import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { marshall } from '@aws-sdk/util-dynamodb';
import { REPEATED } from '../lambdas/adapters/fan-out/failures-queue.ts';
import { type Command, UsageError } from './command.ts';
import type { Deployment } from './deployment.ts';
import { type Failure, failureOf } from './failure.ts';
import { type QueueMessage, visitMessages } from './queue-messages.ts';

/** What happened to one message: it is done and deleted, or it stays for the reason given. */
interface Result {
  readonly message_id: string;
  readonly row: Failure['row'];
  readonly left_because: string | null;
}

type Image = Record<string, AttributeValue>;

/** Returns the changed row's image: the one in the message, or the row as it is now if the image was too long. */
const imageOf = async (
  { body }: QueueMessage,
  { pk, sk }: { readonly pk: string; readonly sk: string },
  dynamo: DynamoDBClient,
  table: string,
): Promise<Image | undefined> => {
  const { NewImage } = (JSON.parse(body) as { record: { dynamodb: { NewImage?: Image } } }).record.dynamodb;
  if (NewImage) return NewImage;
  const Key = marshall({ pk, sk });
  return (await dynamo.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item;
};

/** Gives one record to the fan-out. Returns null if the fan-out carried it out, otherwise the reason. */
const fanOutAgain = async (lambda: LambdaClient, functionName: string, record: object): Promise<string | null> => {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify({ Records: [record] }) }),
  );
  const answer = JSON.parse(Payload?.transformToString() || 'null') as {
    errorMessage?: string;
    batchItemFailures?: readonly unknown[];
  } | null;
  if (FunctionError) return answer?.errorMessage ?? 'the fan-out failed: see its log';
  return answer?.batchItemFailures?.length
    ? 'the fan-out ran out of time and will continue: run the command again'
    : null;
};

const redriveOne = async (message: QueueMessage, { dynamo, lambda, resources }: Deployment): Promise<Result> => {
  const { message_id, row, change } = failureOf(message);
  const result = (left_because: string | null): Result => ({ message_id, row, left_because });
  if (!row) return result('the fan-out function did not write this message: read it in SQS');
  const NewImage = await imageOf(message, row, dynamo, resources.domainTable);
  if (!NewImage) return result('the row does not exist any more: delete the message');
  const Keys = marshall({ pk: row.pk, sk: row.sk });
  const record = {
    eventID: message_id,
    eventName: change ?? 'INSERT',
    eventSource: REPEATED,
    dynamodb: { Keys, NewImage, SequenceNumber: message_id },
  };
  return result(await fanOutAgain(lambda, resources.fanOut, record));
};

const resultLine = ({ message_id, row, left_because }: Result): string =>
  `${row ? `${row.kind ?? 'row'} ${row.pk} / ${row.sk}` : `message ${message_id}`}: ${left_because ?? 'carried out'}`;

export const redriveFailures: Command = {
  summary: 'carry out some or all changes of the failures queue again',
  details:
    'Gives each change to the fan-out function once more and deletes its message when the change is carried out. Changes are\nsafe to repeat: events and deliveries that exist stay as they are. Remove the cause first: otherwise the message stays.',
  options: {
    message: {
      type: 'string',
      value: 'ID',
      description: 'carry out the change of one message; dead-letters --json shows the ids',
    },
    all: { type: 'boolean', description: 'carry out the changes of all messages' },
  },
  prepare({ message: chosen, all }) {
    if ((chosen === undefined) === (all === undefined)) {
      throw new UsageError('Exactly one of --message and --all is required.');
    }
    return async (deployment) => {
      const results: Result[] = [];
      const { failures } = deployment.resources;
      await visitMessages(deployment.sqs, failures, Number.POSITIVE_INFINITY, async (messages) => {
        const done: QueueMessage[] = [];
        // One after the other, so that changes of the same row keep the order of their messages.
        for (const message of messages.filter(({ id }) => all || id === chosen)) {
          const result = await redriveOne(message, deployment);
          results.push(result);
          if (result.left_because === null) done.push(message);
        }
        return done;
      });
      const left = results.filter(({ left_because }) => left_because !== null).length;
      return {
        data: { carried_out: results.length - left, left, results },
        lines: [`Changes carried out: ${results.length - left}. Messages left: ${left}.`, ...results.map(resultLine)],
      };
    };
  },
};
