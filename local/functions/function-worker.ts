// The thread of one execution environment: it imports one bundle and serves one invocation at a time.
// This file runs from a data URL without its types, so it can import only built-in modules.
import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

interface Start {
  readonly module: string;
  readonly exportName: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMb: number;
}

interface Invocation {
  readonly requestId: string;
  readonly event: string;
  readonly deadlineMs: number;
}

type Handler = (event: unknown, context: object) => unknown;

const port = parentPort as NonNullable<typeof parentPort>;
const start = workerData as Start;

const FLUSH_MS = 100;
let lines: string[] = [];
let unfinished = '';
let timer: NodeJS.Timeout | undefined;
const takeLines = (): string[] => {
  clearTimeout(timer);
  timer = undefined;
  const takenLines = lines;
  lines = [];
  return takenLines;
};
const flush = (): void => {
  port.postMessage({ kind: 'log', lines: takeLines() });
};
const write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
  const parts = (unfinished + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())).split('\n');
  unfinished = parts.pop() ?? '';
  lines.push(...parts);
  // Log lines are usually sent with the invocation's result. The timer sends the log lines of an invocation that hangs.
  timer ??= setTimeout(flush, FLUSH_MS).unref();
  const done = rest.at(-1);
  if (typeof done === 'function') done();
  return true;
};
process.stdout.write = write as typeof process.stdout.write;
process.stderr.write = write as typeof process.stderr.write;

const describe = (error: unknown): { type: string; message: string; trace: string } =>
  error instanceof Error
    ? { type: error.name, message: error.message, trace: error.stack ?? '' }
    : { type: 'Error', message: String(error), trace: '' };

const contextOf = ({ requestId, deadlineMs }: Invocation): object => ({
  functionName: start.functionName,
  functionVersion: '$LATEST',
  invokedFunctionArn: start.functionArn,
  memoryLimitInMB: String(start.memoryMb),
  awsRequestId: requestId,
  logGroupName: `/aws/lambda/${start.functionName}`,
  logStreamName: 'local',
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
});

const serve = (handler: Handler): void => {
  port.on('message', async (invocation: Invocation) => {
    try {
      const result = await handler(JSON.parse(invocation.event), contextOf(invocation));
      port.postMessage({ kind: 'done', result: JSON.stringify(result), lines: takeLines() });
    } catch (error) {
      port.postMessage({ kind: 'failed', error: describe(error), lines: takeLines() });
    }
  });
};

enableCompileCache();
const bundle = (await import(start.module)) as Record<string, unknown>;
const handler = bundle[start.exportName];
if (typeof handler !== 'function') throw new TypeError(`${start.module} exports no ${start.exportName}`);
serve(handler as Handler);
port.postMessage({ kind: 'ready' });
