import type { FunctionDefinition } from './functions/execution-environment.ts';
import { createFunctionPool, type Invocation } from './functions/function-pool.ts';
import { startLambdaEndpoint } from './functions/lambda-endpoint.ts';
import type { LogLine } from './functions/log-line.ts';
import { scheduledCalls, startSchedule } from './functions/schedule.ts';
import { startGateway } from './gateway/gateway.ts';
import { createRouteTable } from './gateway/routes.ts';
import { type AlarmOptions, createAlarms } from './metrics/alarms.ts';
import { type LocalQueue, startQueues } from './queues/queues.ts';
import { openDataFolder } from './state/data-folder.ts';
import { openJournal } from './state/journal.ts';
import { startSecrets } from './state/secrets.ts';
import { removeStackFile, writeStackFile } from './state/stack-file.ts';
import { openStreamLog } from './streams/stream-log.ts';
import { startDynoxide } from './tables/dynoxide.ts';
import { ensureTable } from './tables/tables.ts';
import { ACCOUNT, createResolver, REGION, type Resolve } from './template/intrinsics.ts';
import { type Assembly, readAssembly, resourcesOf } from './template/template.ts';
import { createAsyncInvoke } from './wiring/async-invoke.ts';
import { createCustomResource } from './wiring/custom-resource.ts';
import { type Endpoints, functionDefinitions } from './wiring/functions.ts';
import { type Interceptor, startInterceptorProxy } from './wiring/interceptor.ts';
import { apiRoutes, functionNameOf } from './wiring/mappings.ts';
import { createReferences, type Running } from './wiring/references.ts';
import { quiet, settle, startSources } from './wiring/sources.ts';

export interface StackOptions {
  /** Where `cdk synth` wrote the stack. */
  readonly assembly?: string;
  /** `null`: a temporary folder, gone when the stack stops. */
  readonly dataDir?: string | null;
  /** Forgets what the data folder holds. */
  readonly fresh?: boolean;
  /** 0: any. */
  readonly port?: number;
  readonly speed?: number;
  readonly strictEgress?: boolean;
  /** A DynamoDB engine to use in place of one of our own. */
  readonly dynamoEndpoint?: string | undefined;
  readonly interceptor?: Interceptor;
  /** In place of every queue's own. */
  readonly visibilityTimeoutSeconds?: number;
  /** More variables for every function. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly onLog?: (line: LogLine) => void;
  readonly onInvocation?: (invocation: Invocation) => void;
  /** With it, the template's alarms are evaluated. */
  readonly alarms?: AlarmOptions;
  /** Starts an environment of every function, so that no first request waits for one. */
  readonly warm?: boolean;
}

export interface LocalStack {
  readonly url: string;
  /** The operator's API key, from the secret that the stack's output names; empty where there is none. */
  readonly operatorKey: string;
  readonly dynamoEndpoint: string;
  /** Where it keeps its data, and says where its parts are. */
  readonly dataFolder: string;
  readonly functionNames: readonly string[];
  readonly queueNames: readonly string[];
  /** The function's bundle and its variables. */
  definitionOf(functionName: string): FunctionDefinition;
  /** By logical id, construct id or the environment variable that functions know it by. */
  tableName(name: string): string;
  depth(queue: string): ReturnType<LocalQueue['depth']>;
  peek(queue: string): ReturnType<LocalQueue['peek']>;
  /** One queue, or `all`. */
  purge(queue: string): void;
  /** Kills the environments that serve an invocation of the function; says how many. */
  kill(functionName: string): Promise<number>;
  /** As a quota does: so many invocations of the function at once, and the others are refused. */
  limitConcurrency(functionName: string, concurrency: number): void;
  /** Runs what is scheduled now, as if it were this time, and waits for it. */
  tick(time?: Date): Promise<void>;
  /** Resolves when streams are read to their end and mapped queues hold nothing visible or in flight. */
  settled(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

type Stop = () => unknown;

const STOP_WAIT_MS = 500;

/** Runs the synthesised stack on this machine. What its template does not have does not exist here either. */
export const startStack = async (options: StackOptions = {}): Promise<LocalStack> => {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    return { ...(await compose(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

const compose = async (options: StackOptions, stops: Stop[]): Promise<Omit<LocalStack, 'stop'>> => {
  const { speed = 1, strictEgress = false, environment = {}, interceptor, visibilityTimeoutSeconds } = options;
  const assembly = readAssembly(options.assembly ?? 'cdk.out');
  const gateway = await startGateway(options.port ?? 0);
  stops.push(() => gateway.stop());
  const folder = openDataFolder(options.dataDir ?? null, options.fresh);
  stops.push(() => folder.close());

  const running: Running = { gatewayUrl: gateway.url, queueEndpoint: '', tables: new Map(), customData: new Map() };
  const resolve = createResolver(assembly.stackName, createReferences(assembly, running));
  const journal = openJournal(folder.journalFile);
  stops.push(() => journal.close());

  const own = options.dynamoEndpoint ? undefined : await startDynoxide({ file: folder.tablesFile });
  if (own) {
    stops.push(() => own.stop());
    folder.rememberEngine(own.pid);
  }
  const dynamoEndpoint = options.dynamoEndpoint ?? own?.endpoint ?? '';
  for (const { logicalId, properties } of resourcesOf(assembly, 'AWS::DynamoDB::Table')) {
    running.tables.set(logicalId, await ensureTable(dynamoEndpoint, logicalId, resolve(properties)));
  }
  const streamLog = own && openStreamLog(folder.tablesFile);
  if (streamLog) stops.push(() => streamLog.close());

  const queues = await startQueues(resourcesOf(assembly, 'AWS::SQS::Queue'), resolve, journal);
  stops.push(() => queues.stop());
  running.queueEndpoint = queues.endpoint;
  const secrets = await startSecrets(resourcesOf(assembly, 'AWS::SecretsManager::Secret'), resolve, journal);
  stops.push(() => secrets.stop());

  let endpoints: Endpoints = { dynamodb: dynamoEndpoint, sqs: queues.endpoint, secretsmanager: secrets.endpoint };
  if (interceptor) {
    const proxy = await startInterceptorProxy({ ...endpoints }, interceptor, (id) => pool.killEnvironment(id));
    stops.push(() => proxy.stop());
    endpoints = { dynamodb: proxy.endpoint, sqs: proxy.endpoint, secretsmanager: proxy.endpoint };
    running.queueEndpoint = proxy.endpoint;
  }

  const alarms = options.alarms && createAlarms(assembly, resolve, speed, options.alarms);
  const onLog = (functionName: string, text: string): void => {
    alarms?.sources.line({ functionName, text });
    options.onLog?.({ functionName, text });
  };
  const definitions = functionDefinitions(assembly, resolve, { endpoints, speed, strictEgress, environment });
  const pool = createFunctionPool({
    definitions,
    // Some engines keep a database per access key: only an interceptor has to tell callers apart by it.
    identify: (_, id): Readonly<Record<string, string>> => (interceptor ? { AWS_ACCESS_KEY_ID: id } : {}),
    log: onLog,
    onInvocation(invocation) {
      alarms?.sources.invocation(invocation);
      options.onInvocation?.(invocation);
    },
  });
  stops.push(() => pool.stop());

  for (const resource of customResources(assembly)) {
    const properties = resolve(resource.properties) as Record<string, unknown>;
    const stackId = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${assembly.stackName}/local`;
    const target = functionNameOf(String(properties.ServiceToken));
    const data = await createCustomResource(resource, properties, stackId, (event) => pool.invoke(target, event));
    running.customData.set(resource.logicalId, data);
  }

  const findQueue = (name: string): LocalQueue => {
    const queue = queues.all.get(name) ?? [...queues.all.values()].find((one) => one.name === name || one.arn === name);
    if (!queue) throw new Error(`There is no queue ${name}.`);
    return queue;
  };
  const sources = startSources(assembly, resolve, {
    endpoint: dynamoEndpoint,
    running,
    pool,
    journal,
    streamLog,
    findQueue,
    visibilityTimeoutSeconds,
    log: onLog,
  });

  // What is being done may be finished, if it is quick; what is killed comes back after the next start.
  stops.push(() => quiet(pool, STOP_WAIT_MS));
  stops.push(() => {
    for (const source of sources.all) source.stop();
  });

  const calls = resourcesOf(assembly, 'AWS::Events::Rule', 'AWS::Scheduler::Schedule').flatMap((resource) =>
    scheduledCalls(resource, resolve(resource.properties) as Record<string, unknown>),
  );
  const unawaited = createAsyncInvoke(assembly, resolve, speed, pool);
  stops.push(() => unawaited.stop());
  for (const call of calls) {
    let isAtWork = false;
    const schedule = startSchedule(call.everyMs, speed, async (at) => {
      // Sped up, one tick may outlast the time to the next; at a minute apart, its timeout sees to it that none does.
      if (isAtWork) return;
      isAtWork = true;
      await unawaited.invoke(functionNameOf(call.functionArn), call.event(at));
      isAtWork = false;
    });
    stops.push(() => schedule.stop());
  }

  if (options.warm) await Promise.all([...definitions.keys()].map((name) => pool.warm(name)));
  const call = async (name: string, event: unknown) => {
    const result = await pool.invoke(name, event);
    for (const stream of sources.streams) stream.wake();
    return result;
  };
  gateway.open(createRouteTable(apiRoutes(assembly, resolve)), call, alarms?.sources.answer);
  alarms?.start([...queues.all.values()], () => pool.running());
  stops.push(() => alarms?.stop());

  const lambda = await startLambdaEndpoint(pool.invoke, sources.mapped);
  stops.push(() => lambda.stop());
  const dataFolder = folder.path;
  writeStackFile(dataFolder, {
    stackName: assembly.stackName,
    endpoints: { dynamodb: dynamoEndpoint, sqs: queues.endpoint, lambda: lambda.endpoint },
    resources: [...assembly.resources.values()].map(({ logicalId, type }) => ({
      logicalId,
      type,
      physicalId: String(resolve({ Ref: logicalId })),
    })),
  });
  stops.push(() => removeStackFile(dataFolder));

  return {
    url: gateway.url,
    dataFolder,
    operatorKey: secrets.value(operatorSecret(assembly, resolve)) ?? '',
    dynamoEndpoint,
    functionNames: [...definitions.keys()],
    queueNames: [...queues.all.values()].map(({ name }) => name),
    definitionOf(name) {
      const definition = definitions.get(name);
      if (!definition) throw new Error(`There is no function ${name}.`);
      return definition;
    },
    tableName(name) {
      const table = resourcesOf(assembly, 'AWS::DynamoDB::Table').find((one) =>
        [one.logicalId, one.name].includes(name),
      );
      const found =
        table?.logicalId ?? [...definitions.values()].find((one) => name in one.environment)?.environment[name];
      if (found === undefined) throw new Error(`There is no table ${name}.`);
      return found;
    },
    depth: (queue) => findQueue(queue).depth(),
    peek: (queue) => findQueue(queue).peek(),
    purge(queue) {
      for (const one of queue === 'all' ? queues.all.values() : [findQueue(queue)]) one.purge();
    },
    kill: (name) => pool.kill(name),
    limitConcurrency: (name, concurrency) => pool.limit(name, concurrency),
    async tick(time = new Date()) {
      await Promise.all(calls.map((call) => pool.invoke(functionNameOf(call.functionArn), call.event(time))));
    },
    settled: (timeoutMs = 30_000) => settle(sources.all, pool, timeoutMs),
  };
};

const customResources = (assembly: Assembly) =>
  [...assembly.resources.values()].filter(
    ({ type }) => type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource',
  );

const operatorSecret = ({ outputs }: Assembly, resolve: Resolve): string => {
  const [, output] = Object.entries(outputs).find(([name]) => /operator/i.test(name)) ?? [];
  return output ? String(resolve(output.Value)) : '';
};
