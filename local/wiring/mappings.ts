import type { Authorizer } from '../gateway/authorizer.ts';
import type { RouteTarget } from '../gateway/gateway.ts';
import type { Route } from '../gateway/routes.ts';
import type { QueueMapping } from '../queues/queue-source.ts';
import type { StreamMapping } from '../streams/stream-lane.ts';
import type { Resolve } from '../template/intrinsics.ts';
import { type Assembly, resourcesOf } from '../template/template.ts';

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

/** `id` is the mapping's logical id, which stands for its UUID here. */
export type EventMapping =
  | { readonly kind: 'queue'; readonly id: string; readonly sourceArn: string; readonly mapping: QueueMapping }
  | { readonly kind: 'stream'; readonly id: string; readonly sourceArn: string; readonly mapping: StreamMapping };

/** `arn:…:function:name`, with an invocation path around it or without, or the name alone. */
export const functionNameOf = (reference: string): string => /:function:([^:/]+)/.exec(reference)?.[1] ?? reference;

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const MOST_CONCURRENT = 1250;

/** The template's event source mappings, with the service's own defaults for what it leaves out. */
export const eventMappings = (assembly: Assembly, resolve: Resolve): EventMapping[] =>
  resourcesOf(assembly, 'AWS::Lambda::EventSourceMapping').flatMap(({ logicalId: id, properties }): EventMapping[] => {
    const wanted = resolve(properties) as MappingProperties;
    if (wanted.Enabled === false) return [];
    const common = {
      functionName: functionNameOf(wanted.FunctionName),
      windowSeconds: wanted.MaximumBatchingWindowInSeconds ?? 0,
      reportsFailures: wanted.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
    };
    const sourceArn = wanted.EventSourceArn;
    if (sourceArn.startsWith('arn:aws:sqs:')) {
      const maxConcurrency = wanted.ScalingConfig?.MaximumConcurrency ?? MOST_CONCURRENT;
      return [
        { kind: 'queue', id, sourceArn, mapping: { ...common, batchSize: wanted.BatchSize ?? 10, maxConcurrency } },
      ];
    }
    const mapping: StreamMapping = {
      ...common,
      batchSize: wanted.BatchSize ?? 100,
      parallelizationFactor: wanted.ParallelizationFactor ?? 1,
      bisects: wanted.BisectBatchOnFunctionError ?? false,
      maxRetries: wanted.MaximumRetryAttempts ?? -1,
      startingPosition: wanted.StartingPosition ?? 'TRIM_HORIZON',
      filterCriteria: wanted.FilterCriteria,
    };
    return [{ kind: 'stream', id, sourceArn, mapping }];
  });

const HEADER_SOURCE = /^\$request\.header\.([\w-]+)$/;

interface AuthorizerProperties {
  readonly AuthorizerUri: string;
  readonly AuthorizerResultTtlInSeconds?: number;
  readonly EnableSimpleResponses?: boolean;
  readonly IdentitySource?: readonly string[];
}

/** By reference; of the kinds there are, the one with a function that looks at one header and answers yes or no. */
const authorizers = (assembly: Assembly, resolve: Resolve): Map<unknown, Authorizer> =>
  new Map(
    resourcesOf(assembly, 'AWS::ApiGatewayV2::Authorizer').map(({ logicalId, properties }) => {
      const wanted = resolve(properties) as AuthorizerProperties;
      const [, header] = HEADER_SOURCE.exec(wanted.IdentitySource?.join() ?? '') ?? [];
      if (header === undefined || !wanted.EnableSimpleResponses) {
        throw new Error(`The template's authorizer ${logicalId} is of a kind that the local stack does not know.`);
      }
      const keptMs = (wanted.AuthorizerResultTtlInSeconds ?? 0) * 1000;
      return [resolve({ Ref: logicalId }), { functionName: functionNameOf(wanted.AuthorizerUri), header, keptMs }];
    }),
  );

/** The HTTP API's routes, each with the name of its function and who is asked before it. */
export const apiRoutes = (assembly: Assembly, resolve: Resolve): Route<RouteTarget>[] => {
  const integrations = new Map(
    resourcesOf(assembly, 'AWS::ApiGatewayV2::Integration').map(({ logicalId, properties }) => {
      const { IntegrationUri } = resolve(properties) as { IntegrationUri: string };
      return [`integrations/${logicalId}`, functionNameOf(IntegrationUri)];
    }),
  );
  const known = authorizers(assembly, resolve);
  return resourcesOf(assembly, 'AWS::ApiGatewayV2::Route').map(({ properties }) => {
    const { RouteKey, Target, AuthorizerId } = resolve(properties) as {
      RouteKey: string;
      Target: string;
      AuthorizerId?: string;
    };
    const functionName = integrations.get(Target);
    if (functionName === undefined)
      throw new Error(`The template's route ${RouteKey} leads to ${Target}, which is not there.`);
    return { key: RouteKey, target: { functionName, authorizer: known.get(AuthorizerId) } };
  });
};
