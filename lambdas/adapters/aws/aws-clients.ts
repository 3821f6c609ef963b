import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { useThinPath } from './thin-path.ts';

/**
 * Counts of the AWS calls that this process made since the counts were last taken, by `service.operation`, and the
 * DynamoDB capacity units that the calls consumed.
 */
export interface AwsUse {
  /** Every call, also a call that failed. */
  readonly calls: Record<string, number>;
  /** Capacity units of the calls that succeeded. A failed call may consume units, too, but AWS does not report them. */
  readonly units: Record<string, number>;
  /**
   * The calls that ended in an error after the SDK's last try, by `service.operation.error`. A write whose condition is
   * not met counts, too. Absent where no call failed.
   */
  failed?: Record<string, number>;
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

const callName = (service: string, commandName: unknown): string =>
  `${service}.${String(commandName).replace(/Command$/, '')}`;

const add = (counts: Record<string, number>, name: string, count: number): void => {
  counts[name] = (counts[name] ?? 0) + count;
};

const countUnits = (name: string, consumed: unknown): void => {
  const list = Array.isArray(consumed) ? consumed : consumed ? [consumed] : [];
  for (const { CapacityUnits = 0 } of list as { CapacityUnits?: number }[]) {
    add(use.units, name, CapacityUnits);
  }
};

/** Counts each call of the client, and each call that fails. */
const watchCalls = (client: DynamoDBClient | SQSClient | SecretsManagerClient, service: string): void => {
  (client as SQSClient).middlewareStack.add(
    (next, context) => async (args) => {
      const name = callName(service, context.commandName);
      add(use.calls, name, 1);
      try {
        return await next(args);
      } catch (error) {
        use.failed ??= {};
        add(use.failed, `${name}.${error instanceof Error ? error.name : typeof error}`, 1);
        throw error;
      }
    },
    { step: 'initialize', priority: 'high', name: 'watchCalls' },
  );
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

/** Counts a try of a call if it is throttled, also a try that the SDK retries. */
const countThrottledTry =
  <A, R>(next: (args: A) => Promise<R>) =>
  async (args: A): Promise<R> => {
    try {
      return await next(args);
    } catch (error) {
      if (error instanceof Error && THROTTLED.test(error.name)) countThrottles(1);
      throw error;
    }
  };

const watchThrottles = (client: DynamoDBClient | SQSClient | SecretsManagerClient): void => {
  const step = { step: 'deserialize', priority: 'high', name: 'watchThrottles' } as const;
  (client as SQSClient).middlewareStack.add(countThrottledTry, step);
};

/**
 * The time limits of one try of an AWS call, in milliseconds: for the connection, for the answer to begin, and for each
 * pause within the answer. Without them, the SDK waits until the function's timeout. A try that exceeds a limit fails
 * with `TimeoutError` and its socket is closed. Four tries take 13 s at most; the shortest timeout of an API is 29 s.
 */
const timeLimits = {
  connectionTimeout: 1000,
  requestTimeout: 3000,
  throwOnRequestTimeout: true,
  socketTimeout: 3000,
} as const;

/**
 * The options of every AWS client. They name no endpoint, because a local stack sets the SDK's own variables
 * (`AWS_ENDPOINT_URL_…`). `cacheMiddleware` builds the middleware stack once for each kind of call instead of for each
 * call. The SDK retries a try that fails with `TimeoutError`.
 */
const options = { maxAttempts: 4, cacheMiddleware: true, requestHandler: timeLimits } as const;

/**
 * Removes two middlewares of the SDK from a client. One copies every input and output for a log that is not used: a
 * tenth of the CPU of a batch read. The other describes the SDK for AWS's statistics: 50 µs a call.
 */
const withoutStatistics = <C extends DynamoDBClient | SQSClient | SecretsManagerClient>(client: C): C => {
  (client as SQSClient).middlewareStack.remove('loggerMiddleware');
  (client as SQSClient).middlewareStack.remove('getUserAgentMiddleware');
  return client;
};

/** Creates a DynamoDB client that counts its calls, failed calls, consumed capacity units and throttled tries. */
export const dynamoClient = (overrides: { maxAttempts?: number } = {}): DynamoDBClient => {
  const client = new DynamoDBClient({ ...options, ...overrides });
  watchThrottles(client);
  watchCalls(client, 'dynamodb');
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const input = args.input as { ReturnConsumedCapacity?: string };
      const result = await next({ ...args, input: { ...input, ReturnConsumedCapacity: 'TOTAL' } });
      const output = result.output as BatchResponse & { ConsumedCapacity?: unknown };
      countThrottles(throttledParts(output));
      countUnits(callName('dynamodb', context.commandName), output.ConsumedCapacity);
      return result;
    },
    { step: 'initialize', name: 'countCapacity' },
  );
  useThinPath(client, countThrottledTry);
  return withoutStatistics(client);
};

const withCounting = <C extends SQSClient | SecretsManagerClient>(client: C, service: string): C => {
  watchThrottles(client);
  watchCalls(client, service);
  return withoutStatistics(client);
};

/** Creates an SQS client that counts its calls, failed calls and throttled tries. */
export const sqsClient = (): SQSClient => {
  const client = withCounting(new SQSClient({ ...options, md5: false }), 'sqs');
  useThinPath(client, countThrottledTry);
  return client;
};

/** Creates a Secrets Manager client that counts its calls, failed calls and throttled tries. */
export const secretsClient = (): SecretsManagerClient =>
  withCounting(new SecretsManagerClient({ ...options }), 'secretsmanager');
