import { Metrics } from '@aws-lambda-powertools/metrics';
import { describeError, log } from './log.ts';
import { type Measure, metricNamespace, metrics } from './metric-names.ts';

/** What an invocation measured: counts, or each value of what has a distribution. */
export type Figures = Partial<Readonly<Record<Measure, number | readonly number[]>>>;

let made: Metrics | undefined;

const emit = (emitter: Metrics, figures: Figures, profile: string | null): void => {
  for (const [measure, found = 0] of Object.entries(figures)) {
    const [name, unit] = metrics[measure as Measure];
    if (typeof found !== 'number') for (const value of found) emitter.addMetric(name, unit, value);
    else if (found !== 0) emitter.addMetric(name, unit, found);
  }
  if (!emitter.hasStoredMetrics()) return;
  if (profile !== null) emitter.addDimensions({}).addDimensions({ profile });
  emitter.publishStoredMetrics();
};

/**
 * Writes an invocation's metrics at its end as one line in embedded metric format, which CloudWatch reads from the log:
 * no call, and nothing at all where nothing was counted. Figures of one profile count for the whole and for the profile.
 * What goes wrong here costs the numbers and nothing else.
 */
export const publishMetrics = (figures: Figures, profile: string | null = null): void => {
  try {
    made ??= new Metrics({ namespace: metricNamespace });
    emit(made, figures, profile);
  } catch (error) {
    made = undefined;
    log('warn', 'metrics.lost', { error: describeError(error) });
  }
};
