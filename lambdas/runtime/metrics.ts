import type { Metrics } from '@aws-lambda-powertools/metrics';
import { describeError, log } from './log.ts';
import { metricNamespace, type WrittenMeasure, written } from './metric-names.ts';

/** The values of the metrics that one invocation writes. */
export type Figures = Partial<Readonly<Record<WrittenMeasure, number | undefined>>>;

let loaded: Promise<Metrics> | undefined;

const load = async (): Promise<Metrics> => {
  const powertools = await import('@aws-lambda-powertools/metrics');
  return new powertools.Metrics({ namespace: metricNamespace });
};

/**
 * Writes the metrics of an invocation as one log line in embedded metric format, which CloudWatch reads without a call.
 * If every value is 0, no line is written and the library is not loaded. Never throws: a failure loses only the
 * metrics.
 */
export const publishMetrics = async (figures: Figures): Promise<void> => {
  const measured = Object.entries(figures).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  if (measured.length === 0) return;
  try {
    loaded ??= load();
    const metrics = await loaded;
    for (const [measure, value] of measured) {
      const [name, unit] = written[measure as WrittenMeasure];
      metrics.addMetric(name, unit, value);
    }
    metrics.publishStoredMetrics();
  } catch (error) {
    loaded = undefined;
    log('warn', 'metrics.lost', { error: describeError(error) });
  }
};
