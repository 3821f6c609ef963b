import type { QueueMapping } from '../queues/queue-source.ts';
import type { StreamMapping } from '../streams/stream-lane.ts';
import type { Resolve } from '../template/intrinsics.ts';
import { type Assembly, resourcesOf } from '../template/template.ts';
import { functionNameOf } from './references.ts';

interface MappingProperties {
  readonly EventSourceArn: string;
  readonly FunctionName: string;
  readonly Enabled?: boolean;
  readonly BatchSize?: number;
  readonly MaximumBatchingWindowInSeconds?: number;
  readonly FunctionResponseTypes?: readonly string[];
  readonly FilterCriteria?: unknown;
  readonly ScalingConfig?: { readonly MaximumConcurrency?: number };
  readonly ParallelizationFactor?: number;
  readonly BisectBatchOnFunctionError?: boolean;
  readonly MaximumRetryAttempts?: number;
  readonly StartingPosition?: string;
}

/** An event source mapping. `id` is its logical id, which the local stack uses in place of Lambda's UUID. */
export type EventMapping =
  | { readonly kind: 'queue'; readonly id: string; readonly sourceArn: string; readonly mapping: QueueMapping }
  | { readonly kind: 'stream'; readonly id: string; readonly sourceArn: string; readonly mapping: StreamMapping };

/**
 * The maximum number of concurrent invocations of a queue's mapping for which the template sets no maximum: Lambda's own limit.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const MAX_CONCURRENCY = 1250;

/**
 * Returns the template's enabled event source mappings. A setting that the template leaves out gets Lambda's default.
 */
export const eventMappings = (assembly: Assembly, resolve: Resolve): EventMapping[] =>
  resourcesOf(assembly, 'AWS::Lambda::EventSourceMapping').flatMap(({ logicalId: id, properties }): EventMapping[] => {
    const settings = resolve(properties) as MappingProperties;
    if (settings.Enabled === false) return [];
    const common = {
      functionName: functionNameOf(settings.FunctionName),
      windowSeconds: settings.MaximumBatchingWindowInSeconds ?? 0,
      reportsFailures: settings.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
    };
    const sourceArn = settings.EventSourceArn;
    if (sourceArn.startsWith('arn:aws:sqs:')) {
      const maxConcurrency = settings.ScalingConfig?.MaximumConcurrency ?? MAX_CONCURRENCY;
      return [
        { kind: 'queue', id, sourceArn, mapping: { ...common, batchSize: settings.BatchSize ?? 10, maxConcurrency } },
      ];
    }
    const mapping: StreamMapping = {
      ...common,
      batchSize: settings.BatchSize ?? 100,
      parallelizationFactor: settings.ParallelizationFactor ?? 1,
      bisects: settings.BisectBatchOnFunctionError ?? false,
      maxRetries: settings.MaximumRetryAttempts ?? -1,
      startingPosition: settings.StartingPosition ?? 'TRIM_HORIZON',
      filterCriteria: settings.FilterCriteria,
    };
    return [{ kind: 'stream', id, sourceArn, mapping }];
  });
