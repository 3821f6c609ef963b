import type { FunctionDefinition } from './functions/execution-environment.ts';
import { createFunctionPool, type FunctionPool, type Invocation } from './functions/function-pool.ts';
import { startLambdaEndpoint } from './functions/lambda-endpoint.ts';
import type { LogLine } from './functions/log-line.ts';
import type { ScheduledCall } from './functions/schedule.ts';
import { type Gateway, startGateway } from './gateway/gateway.ts';
import { createRouteTable } from './gateway/routes.ts';
import { type AlarmOptions, type Alarms, createAlarms } from './metrics/alarms.ts';
import type { LocalQueue, Queues } from './queues/queues.ts';
import { openDataFolder } from './state/data-folder.ts';
import { openJournal } from './state/journal.ts';
import { removeStackFile, writeStackFile } from './state/stack-file.ts';
import { createResolver, type Resolve } from './template/intrinsics.ts';
import { type Assembly, readAssembly, resourcesOf } from './template/template.ts';
import { apiRoutes, stageThrottle } from './wiring/api-routes.ts';
import { createCustomResources } from './wiring/custom-resource.ts';
import { type Engines, startEngines } from './wiring/engines.ts';
import { functionDefinitions } from './wiring/functions.ts';
import type { Interceptor } from './wiring/interceptor.ts';
import { createReferences, functionNameOf, type Running } from './wiring/references.ts';
import { startSchedules } from './wiring/schedules.ts';
import { type Sources, startSources, waitUntilSettled, waitWhileBusy } from './wiring/sources.ts';
import type { StackContext } from './wiring/stack-context.ts';

export interface StackOptions {
  /** The folder that `cdk synth` wrote; by default `cdk.out`. */
  readonly assembly?: string;
  /** The folder for the stack's data. `null` is a temporary folder that is removed when the stack stops. */
  readonly dataDir?: string | null;
  /** True: the stack deletes the data in the data folder before it starts. */
  readonly fresh?: boolean;
  /** The API's port; 0 takes any free port. */
  readonly port?: number;
  /**
   * A number that divides the waits before retries, the intervals of scheduled calls, the counted hours, the alarms'
   * minutes, and the time until a failing webhook is reported or disabled. A receiver's `Retry-After` is not divided.
   */
  readonly speed?: number;
  /** True: the stack refuses receivers on loopback addresses, as a deployment does. */
  readonly strictEgress?: boolean;
  /** An existing DynamoDB endpoint. Without one, an engine is started. */
  readonly dynamoEndpoint?: string | undefined;
  readonly interceptor?: Interceptor;
  /** The visibility timeout of every queue, in seconds, instead of the timeouts in the template. */
  readonly visibilityTimeoutSeconds?: number;
  /** Additional environment variables for every function. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly onLog?: (line: LogLine) => void;
  readonly onInvocation?: (invocation: Invocation) => void;
  /** Options for the evaluation of the template's alarms. Without options no alarm is evaluated. */
  readonly alarms?: AlarmOptions;
  /** True: one environment of every function starts in advance, so no first request waits for a cold start. */
  readonly warm?: boolean;
}

export interface LocalStack {
  readonly url: string;
  /**
   * The operator's API key, read from the secret that an output of the template names; empty if no output names the
   * secret.
   */
  readonly operatorKey: string;
  readonly dynamoEndpoint: string;
  /** The folder with the stack's data and its stack file. */
  readonly dataFolder: string;
  readonly functionNames: readonly string[];
  readonly queueNames: readonly string[];
  /**
   * Returns a function's definition, which has its bundle and its environment variables. Throws for an unknown
   * function.
   */
  definitionOf(functionName: string): FunctionDefinition;
  /**
   * Returns a table's physical name. `name` is its logical id, its construct id or the name of an environment variable
   * that holds it.
   */
  tableName(name: string): string;
  depth(queue: string): ReturnType<LocalQueue['depth']>;
  peek(queue: string): ReturnType<LocalQueue['peek']>;
  /** Empties one queue, or with `all` every queue. */
  purge(queue: string): void;
  /** Kills the environments that are serving an invocation of the function; returns their number. */
  kill(functionName: string): Promise<number>;
  /** Limits the function's concurrent invocations, as a quota does. Further invocations are refused. */
  limitConcurrency(functionName: string, concurrency: number): void;
  /** Runs all scheduled functions now and waits for them. The functions get `time` (default: now) as scheduled time. */
  tick(time?: Date): Promise<void>;
  /**
   * Resolves when all streams are read to their end and mapped queues have no visible or in-flight message. Throws
   * after `timeoutMs`.
   */
  settled(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** How many milliseconds the stack waits at most for running invocations when it stops. */
const STOP_WAIT_MS = 500;

/**
 * Runs the synthesised stack on this machine. A resource that is not in the template does not exist on this machine
 * either.
 */
export const startStack = async (options: StackOptions = {}): Promise<LocalStack> => {
  const actions: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const action of actions.splice(0).reverse()) await action();
  };
  try {
    return { ...(await compose(options, (action) => actions.push(action))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

const compose = async (options: StackOptions, onStop: StackContext['onStop']): Promise<Omit<LocalStack, 'stop'>> => {
  const { speed = 1 } = options;
  const assembly = readAssembly(options.assembly ?? 'cdk.out');
  const gateway = await startGateway(options.port ?? 0);
  onStop(() => gateway.stop());
  const context = openContext(assembly, gateway.url, options, onStop);

  const engines = await startEngines(context, options, (id) => pool.killEnvironment(id));
  const alarms = options.alarms && createAlarms(assembly, context.resolve, speed, options.alarms);
  const { pool, definitions, log } = startPool(context, engines, alarms, options);
  await createCustomResources(context, pool);
  const findQueue = queueFinder(engines.queues);
  const sources = startSources(context, {
    engines,
    pool,
    findQueue,
    log,
    visibilityTimeoutSeconds: options.visibilityTimeoutSeconds,
  });
  // Stopping the stack waits for short invocations. Queue messages and stream records of a killed invocation are
  // processed again after the next start.
  onStop(() => waitWhileBusy(pool, STOP_WAIT_MS));
  onStop(() => {
    for (const source of sources.all) source.stop();
  });
  const calls = startSchedules(context, speed, pool);

  if (options.warm) await Promise.all([...definitions.keys()].map((name) => pool.warm(name)));
  openGateway(gateway, context, pool, sources, alarms);
  alarms?.start([...engines.queues.all.values()], () => pool.running());
  onStop(() => alarms?.stop());
  await describeStack(context, engines, pool, sources);
  return createHandle({ context, gateway, engines, definitions, pool, findQueue, sources, calls });
};

const openContext = (
  assembly: Assembly,
  gatewayUrl: string,
  options: StackOptions,
  onStop: StackContext['onStop'],
): StackContext => {
  const folder = openDataFolder(options.dataDir ?? null, options.fresh);
  onStop(() => folder.close());
  const running: Running = { gatewayUrl, queueEndpoint: '', tables: new Map(), customData: new Map() };
  const resolve = createResolver(assembly.stackName, createReferences(assembly, running));
  const journal = openJournal(folder.journalFile);
  onStop(() => journal.close());
  return { assembly, resolve, running, folder, journal, onStop };
};

type Log = (functionName: string, text: string) => void;
type Definitions = ReadonlyMap<string, FunctionDefinition>;

const startPool = (
  { assembly, resolve, onStop }: StackContext,
  { endpoints }: Engines,
  alarms: Alarms | undefined,
  options: StackOptions,
): { pool: FunctionPool; definitions: Definitions; log: Log } => {
  const { speed = 1, strictEgress = false, environment = {} } = options;
  const log: Log = (functionName, text) => {
    alarms?.sources.line({ functionName, text });
    options.onLog?.({ functionName, text });
  };
  const definitions = functionDefinitions(assembly, resolve, { endpoints, speed, strictEgress, environment });
  const pool = createFunctionPool({
    definitions,
    // The access key identifies the environment only if there is an interceptor, because some DynamoDB engines have a
    // separate database per access key.
    identify: (_, id): Readonly<Record<string, string>> => (options.interceptor ? { AWS_ACCESS_KEY_ID: id } : {}),
    log,
    onInvocation(invocation) {
      alarms?.sources.invocation(invocation);
      options.onInvocation?.(invocation);
    },
  });
  onStop(() => pool.stop());
  return { pool, definitions, log };
};

/**
 * Returns a function that finds a queue by its logical id, its construct id or its ARN, and throws for an unknown name.
 */
const queueFinder =
  ({ all }: Queues) =>
  (name: string): LocalQueue => {
    const queue =
      all.get(name) ?? [...all.values()].find((candidate) => [candidate.name, candidate.arn].includes(name));
    if (!queue) throw new Error(`There is no queue ${name}.`);
    return queue;
  };

const openGateway = (
  gateway: Gateway,
  { assembly, resolve }: StackContext,
  pool: FunctionPool,
  { streams }: Sources,
  alarms: Alarms | undefined,
): void => {
  const invoke: FunctionPool['invoke'] = async (name, event) => {
    const result = await pool.invoke(name, event);
    for (const stream of streams) stream.wake();
    return result;
  };
  const routes = createRouteTable(apiRoutes(assembly, resolve));
  gateway.open(routes, invoke, stageThrottle(assembly, resolve), alarms?.sources.answer);
};

/** Starts the Lambda endpoint and writes all endpoints and resources to the stack file. */
const describeStack = async (
  { assembly, resolve, folder, onStop }: StackContext,
  { dynamoEndpoint, queues }: Engines,
  pool: FunctionPool,
  { mapped }: Sources,
): Promise<void> => {
  const lambda = await startLambdaEndpoint(pool.invoke, mapped);
  onStop(() => lambda.stop());
  writeStackFile(folder.path, {
    stackName: assembly.stackName,
    endpoints: { dynamodb: dynamoEndpoint, sqs: queues.endpoint, lambda: lambda.endpoint },
    resources: [...assembly.resources.values()].map(({ logicalId, type }) => ({
      logicalId,
      type,
      physicalId: String(resolve({ Ref: logicalId })),
    })),
  });
  onStop(() => removeStackFile(folder.path));
};

interface StackParts {
  readonly context: StackContext;
  readonly gateway: Gateway;
  readonly engines: Engines;
  readonly definitions: Definitions;
  readonly pool: FunctionPool;
  readonly findQueue: (name: string) => LocalQueue;
  readonly sources: Sources;
  readonly calls: readonly ScheduledCall[];
}

const createHandle = (parts: StackParts): Omit<LocalStack, 'stop'> => {
  const { context, gateway, engines, definitions, pool, findQueue, sources, calls } = parts;
  const { assembly, resolve, folder } = context;
  const { queues, secrets, dynamoEndpoint } = engines;
  return {
    url: gateway.url,
    dataFolder: folder.path,
    operatorKey: secrets.value(operatorSecret(assembly, resolve)) ?? '',
    dynamoEndpoint,
    functionNames: [...definitions.keys()],
    queueNames: [...queues.all.values()].map(({ name }) => name),
    definitionOf(name) {
      const definition = definitions.get(name);
      if (!definition) throw new Error(`There is no function ${name}.`);
      return definition;
    },
    tableName: (name) => tableNameOf(assembly, definitions, name),
    depth: (queue) => findQueue(queue).depth(),
    peek: (queue) => findQueue(queue).peek(),
    purge(name) {
      for (const queue of name === 'all' ? queues.all.values() : [findQueue(name)]) queue.purge();
    },
    kill: (name) => pool.kill(name),
    limitConcurrency: (name, concurrency) => pool.limit(name, concurrency),
    async tick(time = new Date()) {
      await Promise.all(calls.map((call) => pool.invoke(functionNameOf(call.functionArn), call.event(time))));
    },
    settled: (timeoutMs = 30_000) => waitUntilSettled(sources.all, pool, timeoutMs),
  };
};

const tableNameOf = (assembly: Assembly, definitions: Definitions, name: string): string => {
  const table = resourcesOf(assembly, 'AWS::DynamoDB::Table').find((resource) =>
    [resource.logicalId, resource.name].includes(name),
  );
  const reader = [...definitions.values()].find(({ environment }) => name in environment);
  const tableName = table?.logicalId ?? reader?.environment[name];
  if (tableName === undefined) throw new Error(`There is no table ${name}.`);
  return tableName;
};

const operatorSecret = ({ outputs }: Assembly, resolve: Resolve): string => {
  const [, output] = Object.entries(outputs).find(([name]) => /operator/i.test(name)) ?? [];
  return output ? String(resolve(output.Value)) : '';
};
