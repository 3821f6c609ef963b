import type { Invocation } from '../functions/function-pool.ts';
import type { LogLine } from '../functions/log-line.ts';
import type { Reading } from './metric-filters.ts';
import type { MetricStore } from './metric-store.ts';

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit?: string }[];
}

type EmbeddedLine = { readonly _aws?: { readonly CloudWatchMetrics?: readonly Directive[] } } & Record<string, unknown>;

const parseLine = (text: string): EmbeddedLine => {
  try {
    return JSON.parse(text) as EmbeddedLine;
  } catch {
    return {};
  }
};

const scaleOf = (unit: string | undefined, speed: number): number => (unit === 'Milliseconds' ? speed : 1);

/**
 * Returns when the newest record of a stream's batch was written, in milliseconds since the epoch; undefined for any
 * other event.
 */
const writtenMs = (event: unknown): number | undefined => {
  const { Records } = (event ?? {}) as { Records?: { dynamodb?: { ApproximateCreationDateTime?: number } }[] };
  const seconds = Records?.at(-1)?.dynamodb?.ApproximateCreationDateTime;
  return seconds === undefined ? undefined : seconds * 1000;
};

/**
 * Creates the functions that record the metrics that AWS would send to CloudWatch, and the values that metric filters
 * read from log lines. With a higher speed, measured delays and ages are multiplied by the speed.
 */
export const createMetricSources = (
  store: MetricStore,
  speed: number,
  readLine: (functionName: string, fields: EmbeddedLine) => readonly Reading[],
) => ({
  invocation({ functionName, durationMs, result, isThrottled, event }: Invocation): void {
    const record = (name: string, value: number): void =>
      store.record({ namespace: 'AWS/Lambda', name, dimensions: { FunctionName: functionName } }, [value]);
    if (isThrottled) {
      record('Throttles', 1);
      return;
    }
    record('Invocations', 1);
    record('Errors', result.ok ? 0 : 1);
    record('Duration', durationMs);
    const written = writtenMs(event);
    if (written !== undefined) record('IteratorAge', Math.max(0, Date.now() - written) * speed);
  },

  /**
   * Records the metrics in a function's log line: the values of metric filters, and the embedded metric format.
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
   */
  line({ functionName, text }: LogLine): void {
    const fields = parseLine(text);
    for (const { metric, value, unit } of readLine(functionName, fields)) {
      store.record(metric, [value * scaleOf(unit, speed)]);
    }
    for (const { Namespace: namespace, Dimensions, Metrics } of fields._aws?.CloudWatchMetrics ?? []) {
      for (const names of Dimensions) {
        const dimensions = Object.fromEntries(names.map((name) => [name, String(fields[name])]));
        for (const { Name: name, Unit } of Metrics) {
          store.record(
            { namespace, name, dimensions },
            [fields[name]].flat().map((value) => Number(value) * scaleOf(Unit, speed)),
          );
        }
      }
    }
  },

  answer(status: number): void {
    const record = (name: string, value: number): void =>
      store.record({ namespace: 'AWS/ApiGateway', name, dimensions: { ApiId: 'local', Stage: '$default' } }, [value]);
    record('Count', 1);
    record('4xx', status >= 400 && status < 500 ? 1 : 0);
    record('5xx', status >= 500 ? 1 : 0);
  },

  queue(
    queueName: string,
    depth: { readonly visible: number; readonly inFlight: number; readonly delayed: number },
    oldestMs: number,
  ): void {
    const record = (name: string, value: number): void =>
      store.record({ namespace: 'AWS/SQS', name, dimensions: { QueueName: queueName } }, [value]);
    record('ApproximateNumberOfMessagesVisible', depth.visible);
    record('ApproximateNumberOfMessagesNotVisible', depth.inFlight);
    record('ApproximateNumberOfMessagesDelayed', depth.delayed);
    if (Number.isFinite(oldestMs)) record('ApproximateAgeOfOldestMessage', ((Date.now() - oldestMs) / 1000) * speed);
  },

  running(count: number): void {
    const dimensions = { Service: 'Lambda', Resource: 'ConcurrentExecutions', Type: 'Resource', Class: 'None' };
    store.record({ namespace: 'AWS/Usage', name: 'ResourceCount', dimensions }, [count]);
  },
});

export type MetricSources = ReturnType<typeof createMetricSources>;
