import { Metrics } from '@aws-lambda-powertools/metrics';
import { describeError, log } from './log.ts';
import { metricNamespace, type WrittenMeasure, written } from './metric-names.ts';

/** What an invocation measured. */
export type Figures = Partial<Readonly<Record<WrittenMeasure, number | undefined>>>;

let made: Metrics | undefined;

const emit = (emitter: Metrics, figures: Figures): void => {
  for (const [measure, value = 0] of Object.entries(figures)) {
    const [name, unit] = written[measure as WrittenMeasure];
    if (value !== 0) emitter.addMetric(name, unit, value);
  }
  if (emitter.hasStoredMetrics()) emitter.publishStoredMetrics();
};

/**
 * Writes what an invocation measured at its end as one line in embedded metric format, which CloudWatch reads from the
 * log: no call, and nothing at all where nothing was measured. What goes wrong here costs the numbers and nothing else.
 */
export const publishMetrics = (figures: Figures): void => {
  try {
    made ??= new Metrics({ namespace: metricNamespace });
    emit(made, figures);
  } catch (error) {
    made = undefined;
    log('warn', 'metrics.lost', { error: describeError(error) });
  }
};
