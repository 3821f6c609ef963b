import type { Metrics } from '@aws-lambda-powertools/metrics';
import { describeError, log } from './log.ts';
import { metricNamespace, type WrittenMeasure, written } from './metric-names.ts';

/** What an invocation measured. */
export type Figures = Partial<Readonly<Record<WrittenMeasure, number | undefined>>>;

let made: Promise<Metrics> | undefined;

const make = async (): Promise<Metrics> => {
  const powertools = await import('@aws-lambda-powertools/metrics');
  return new powertools.Metrics({ namespace: metricNamespace });
};

/**
 * Writes what an invocation measured at its end as one line in embedded metric format, which CloudWatch reads from the
 * log: no call, and nothing at all, nor the library loaded, where nothing was measured. What goes wrong here costs the
 * numbers and nothing else.
 */
export const publishMetrics = async (figures: Figures): Promise<void> => {
  const measured = Object.entries(figures).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  if (measured.length === 0) return;
  try {
    made ??= make();
    const metrics = await made;
    for (const [measure, value] of measured) {
      const [name, unit] = written[measure as WrittenMeasure];
      metrics.addMetric(name, unit, value);
    }
    metrics.publishStoredMetrics();
  } catch (error) {
    made = undefined;
    log('warn', 'metrics.lost', { error: describeError(error) });
  }
};
