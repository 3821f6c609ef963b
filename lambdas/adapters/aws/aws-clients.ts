import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';

/** AWS calls of this process since it was last read: by `service.operation`, with the capacity DynamoDB said they took. */
export interface AwsUse {
  readonly calls: Record<string, number>;
  readonly units: Record<string, number>;
  /** How often a service refused for want of capacity, tries of the client library included; where any did. */
  throttles?: number;
}

let use: AwsUse = { calls: {}, units: {} };

/** What was called since the last look; for an invocation's log line. */
export const takeAwsUse = (): AwsUse => {
  const taken = use;
  use = { calls: {}, units: {} };
  return taken;
};

const count = (service: string, operation: string, consumed: unknown): void => {
  const name = `${service}.${operation}`;
  use.calls[name] = (use.calls[name] ?? 0) + 1;
  const list = Array.isArray(consumed) ? consumed : consumed ? [consumed] : [];
  for (const { CapacityUnits = 0 } of list as { CapacityUnits?: number }[]) {
    use.units[name] = (use.units[name] ?? 0) + CapacityUnits;
  }
};

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html, with or without `Exception`. */
const THROTTLED = /Throttl|ThroughputExceeded|RequestLimitExceeded|TooManyRequests/;

/** What a batch's answer says of those of its parts that found no capacity. */
interface BatchAnswer {
  readonly Responses?: unknown;
  readonly UnprocessedKeys?: object;
}

const throttledParts = ({ Responses, UnprocessedKeys = {} }: BatchAnswer): number => {
  const statements = Array.isArray(Responses) ? (Responses as { Error?: { Code?: string } }[]) : [];
  const refused = statements.filter(({ Error: error }) => error?.Code && THROTTLED.test(error.Code)).length;
  return refused + Object.keys(UnprocessedKeys).length;
};

const countThrottles = (count: number): void => {
  if (count > 0) use.throttles = (use.throttles ?? 0) + count;
};

/** Sees every try of a call, also those after which the client library tries again. */
const watchThrottles = (client: DynamoDBClient | SQSClient | SecretsManagerClient): void => {
  (client as SQSClient).middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (error instanceof Error && THROTTLED.test(error.name)) countThrottles(1);
        throw error;
      }
    },
    { step: 'deserialize', priority: 'high', name: 'watchThrottles' },
  );
};

/**
 * Endpoints come from the SDK's own variables (`AWS_ENDPOINT_URL_…`), so a local stack needs nothing here. What a call goes
 * through is put together once for each kind of call, not for each call.
 */
const options = { maxAttempts: 4, cacheMiddleware: true } as const;

/**
 * The SDK makes a copy of every input and output for a log that nobody keeps, a tenth of a batch read's CPU, and describes
 * itself for AWS's statistics, 50 µs a call.
 */
const withoutStatistics = <C extends DynamoDBClient | SQSClient | SecretsManagerClient>(client: C): C => {
  (client as SQSClient).middlewareStack.remove('loggerMiddleware');
  (client as SQSClient).middlewareStack.remove('getUserAgentMiddleware');
  return client;
};

export const dynamoClient = (overrides: { maxAttempts?: number } = {}): DynamoDBClient => {
  const client = new DynamoDBClient({ ...options, ...overrides });
  watchThrottles(client);
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const input = args.input as { ReturnConsumedCapacity?: string };
      const result = await next({ ...args, input: { ...input, ReturnConsumedCapacity: 'TOTAL' } });
      const output = result.output as BatchAnswer & { ConsumedCapacity?: unknown };
      countThrottles(throttledParts(output));
      count('dynamodb', String(context.commandName).replace(/Command$/, ''), output.ConsumedCapacity);
      return result;
    },
    { step: 'initialize', name: 'countCapacity' },
  );
  return withoutStatistics(client);
};

const counted = <C extends SQSClient | SecretsManagerClient>(client: C, service: string): C => {
  watchThrottles(client);
  (client as SQSClient).middlewareStack.add(
    (next, context) => async (args) => {
      count(service, String(context.commandName).replace(/Command$/, ''), null);
      return next(args);
    },
    { step: 'initialize', name: 'countCalls' },
  );
  return withoutStatistics(client);
};

export const sqsClient = (): SQSClient => counted(new SQSClient({ ...options, md5: false }), 'sqs');

export const secretsClient = (): SecretsManagerClient =>
  counted(new SecretsManagerClient({ ...options }), 'secretsmanager');
