import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type Measure, metricNamespace, metrics } from '../lambdas/runtime/metric-names.ts';

const period = Duration.minutes(1);
export const sum = { period, statistic: Stats.SUM };
export const maximum = { period, statistic: Stats.MAXIMUM };

/**
 * Returns a metric that this stack's functions publish. It has no dimension `profile`, so its values cover the webhooks
 * of all profiles.
 */
export const ownMetric = (scope: Construct, measure: Measure, options: MetricOptions): Metric =>
  new Metric({
    namespace: metricNamespace,
    metricName: metrics[measure][0],
    dimensionsMap: { service: Stack.of(scope).stackName },
    ...options,
  });
