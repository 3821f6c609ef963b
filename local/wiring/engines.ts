import { type Queues, startQueues } from '../queues/queues.ts';
import { type Secrets, startSecrets } from '../state/secrets.ts';
import { openStreamLog, type StreamLog } from '../streams/stream-log.ts';
import { startDynoxide } from '../tables/dynoxide.ts';
import { ensureTable } from '../tables/tables.ts';
import { resourcesOf } from '../template/template.ts';
import type { Endpoints } from './functions.ts';
import { type Interceptor, startInterceptorProxy } from './interceptor.ts';
import type { StackContext } from './stack-context.ts';

export interface EngineOptions {
  /** An existing DynamoDB endpoint. Without one, an engine is started. */
  readonly dynamoEndpoint?: string | undefined;
  readonly interceptor?: Interceptor;
}

/** The local replacements of DynamoDB, SQS and Secrets Manager. */
export interface Engines {
  readonly dynamoEndpoint: string;
  /**
   * Access to the stream records in the DynamoDB engine's file; undefined with an existing DynamoDB endpoint, because
   * its file is not accessible.
   */
  readonly streamLog: StreamLog | undefined;
  readonly queues: Queues;
  readonly secrets: Secrets;
  /**
   * The endpoints that functions call: the local DynamoDB, SQS and Secrets Manager, or a test's interceptor in front of
   * them.
   */
  readonly endpoints: Endpoints;
}

/** Starts the engines with the template's tables, queues and secrets, and an interceptor if there is one. */
export const startEngines = async (
  context: StackContext,
  options: EngineOptions,
  killEnvironment: (id: string) => Promise<void>,
): Promise<Engines> => {
  const { assembly, resolve, journal, running, onStop } = context;
  const { dynamoEndpoint, streamLog } = await startTables(context, options.dynamoEndpoint);
  const queues = await startQueues(resourcesOf(assembly, 'AWS::SQS::Queue'), resolve, journal);
  onStop(() => queues.stop());
  running.queueEndpoint = queues.endpoint;
  const secrets = await startSecrets(resourcesOf(assembly, 'AWS::SecretsManager::Secret'), resolve, journal);
  onStop(() => secrets.stop());

  const direct: Endpoints = { dynamodb: dynamoEndpoint, sqs: queues.endpoint, secretsmanager: secrets.endpoint };
  if (!options.interceptor) return { dynamoEndpoint, streamLog, queues, secrets, endpoints: direct };
  const { endpoint, stop } = await startInterceptorProxy({ ...direct }, options.interceptor, killEnvironment);
  onStop(stop);
  running.queueEndpoint = endpoint;
  const endpoints: Endpoints = { dynamodb: endpoint, sqs: endpoint, secretsmanager: endpoint };
  return { dynamoEndpoint, streamLog, queues, secrets, endpoints };
};

const startTables = async (
  { assembly, resolve, folder, running, onStop }: StackContext,
  existingEndpoint: string | undefined,
): Promise<Pick<Engines, 'dynamoEndpoint' | 'streamLog'>> => {
  const engine = existingEndpoint ? undefined : await startDynoxide({ file: folder.tablesFile });
  if (engine) {
    onStop(() => engine.stop());
    folder.rememberEngine(engine.pid);
  }
  const dynamoEndpoint = existingEndpoint ?? engine?.endpoint ?? '';
  for (const { logicalId, properties } of resourcesOf(assembly, 'AWS::DynamoDB::Table')) {
    running.tables.set(logicalId, await ensureTable(dynamoEndpoint, logicalId, resolve(properties)));
  }
  const streamLog = engine && openStreamLog(folder.tablesFile);
  if (streamLog) onStop(() => streamLog.close());
  return { dynamoEndpoint, streamLog };
};
