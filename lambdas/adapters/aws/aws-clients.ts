import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';

/**
 * Counts of the AWS calls that this process made since the counts were last taken, by `service.operation`, and the
 * DynamoDB capacity units that the calls consumed.
 */
export interface AwsUse {
  readonly calls: Record<string, number>;
  readonly units: Record<string, number>;
  /** Number of throttled calls, counting every try of the SDK. Absent where no call was throttled. */
  throttles?: number;
}

let use: AwsUse = { calls: {}, units: {} };

/**
 * Returns the counts of AWS calls since the last time and starts new counts. The log line of an invocation shows the
 * counts.
 */
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

/**
 * Matches the error names of throttled calls, with or without the suffix `Exception`.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
const THROTTLED = /Throttl|ThroughputExceeded|RequestLimitExceeded|TooManyRequests/;

/** The fields of a batch response that show which of its parts were throttled. */
interface BatchResponse {
  readonly Responses?: unknown;
  readonly UnprocessedKeys?: object;
}

const throttledParts = ({ Responses, UnprocessedKeys = {} }: BatchResponse): number => {
  const statements = Array.isArray(Responses) ? (Responses as { Error?: { Code?: string } }[]) : [];
  const refused = statements.filter(({ Error: error }) => error?.Code && THROTTLED.test(error.Code)).length;
  return refused + Object.keys(UnprocessedKeys).length;
};

const countThrottles = (count: number): void => {
  if (count > 0) use.throttles = (use.throttles ?? 0) + count;
};

/** Counts the throttled tries of each call, including tries that the SDK retries. */
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
 * The options of every AWS client. They name no endpoint, because a local stack sets the SDK's own variables
 * (`AWS_ENDPOINT_URL_…`). `cacheMiddleware` builds the middleware stack once for each kind of call instead of for each
 * call.
 */
const options = { maxAttempts: 4, cacheMiddleware: true } as const;

/**
 * Removes two middlewares of the SDK from a client. One copies every input and output for a log that is not used: a
 * tenth of the CPU of a batch read. The other describes the SDK for AWS's statistics: 50 µs a call.
 */
const withoutStatistics = <C extends DynamoDBClient | SQSClient | SecretsManagerClient>(client: C): C => {
  (client as SQSClient).middlewareStack.remove('loggerMiddleware');
  (client as SQSClient).middlewareStack.remove('getUserAgentMiddleware');
  return client;
};

/** Creates a DynamoDB client that counts its calls, consumed capacity units and throttled tries. */
export const dynamoClient = (overrides: { maxAttempts?: number } = {}): DynamoDBClient => {
  const client = new DynamoDBClient({ ...options, ...overrides });
  watchThrottles(client);
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const input = args.input as { ReturnConsumedCapacity?: string };
      const result = await next({ ...args, input: { ...input, ReturnConsumedCapacity: 'TOTAL' } });
      const output = result.output as BatchResponse & { ConsumedCapacity?: unknown };
      countThrottles(throttledParts(output));
      count('dynamodb', String(context.commandName).replace(/Command$/, ''), output.ConsumedCapacity);
      return result;
    },
    { step: 'initialize', name: 'countCapacity' },
  );
  return withoutStatistics(client);
};

const withCounting = <C extends SQSClient | SecretsManagerClient>(client: C, service: string): C => {
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

/** Creates an SQS client that counts its calls and throttled tries. */
export const sqsClient = (): SQSClient => withCounting(new SQSClient({ ...options, md5: false }), 'sqs');

/** Creates a Secrets Manager client that counts its calls and throttled tries. */
export const secretsClient = (): SecretsManagerClient =>
  withCounting(new SecretsManagerClient({ ...options }), 'secretsmanager');
