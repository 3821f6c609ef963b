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

/** An event source mapping. `id` is its logical id, which the local stack uses in place of Lambda's UUID. */
export type EventMapping =
  | { readonly kind: 'queue'; readonly id: string; readonly sourceArn: string; readonly mapping: QueueMapping }
  | { readonly kind: 'stream'; readonly id: string; readonly sourceArn: string; readonly mapping: StreamMapping };

/**
 * Returns the function's name from an ARN (`arn:…:function:name`), from an invocation path that contains an ARN, or
 * from a plain name.
 */
export const functionNameOf = (reference: string): string => /:function:([^:/]+)/.exec(reference)?.[1] ?? reference;

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

const HEADER_SOURCE = /^\$request\.header\.([\w-]+)$/;

interface AuthorizerProperties {
  readonly AuthorizerUri: string;
  readonly AuthorizerResultTtlInSeconds?: number;
  readonly EnableSimpleResponses?: boolean;
  readonly IdentitySource?: readonly string[];
}

/**
 * Returns the template's authorizers by their id, by which the template's routes refer to them. Throws for any other
 * kind than a function with one header and simple responses.
 */
const authorizers = (assembly: Assembly, resolve: Resolve): Map<unknown, Authorizer> =>
  new Map(
    resourcesOf(assembly, 'AWS::ApiGatewayV2::Authorizer').map(({ logicalId, properties }) => {
      const settings = resolve(properties) as AuthorizerProperties;
      const [, header] = HEADER_SOURCE.exec(settings.IdentitySource?.join() ?? '') ?? [];
      if (header === undefined || !settings.EnableSimpleResponses) {
        throw new Error(`The template's authorizer ${logicalId} is of a kind that the local stack does not know.`);
      }
      const cacheMs = (settings.AuthorizerResultTtlInSeconds ?? 0) * 1000;
      return [resolve({ Ref: logicalId }), { functionName: functionNameOf(settings.AuthorizerUri), header, cacheMs }];
    }),
  );

/** Returns the HTTP API's routes, each with the name of its function and its authorizer. */
export const apiRoutes = (assembly: Assembly, resolve: Resolve): Route<RouteTarget>[] => {
  const integrations = new Map(
    resourcesOf(assembly, 'AWS::ApiGatewayV2::Integration').map(({ logicalId, properties }) => {
      const { IntegrationUri } = resolve(properties) as { IntegrationUri: string };
      return [`integrations/${logicalId}`, functionNameOf(IntegrationUri)];
    }),
  );
  const authorizersByRef = authorizers(assembly, resolve);
  return resourcesOf(assembly, 'AWS::ApiGatewayV2::Route').map(({ properties }) => {
    const { RouteKey, Target, AuthorizerId } = resolve(properties) as {
      RouteKey: string;
      Target: string;
      AuthorizerId?: string;
    };
    const functionName = integrations.get(Target);
    if (functionName === undefined)
      throw new Error(`The template's route ${RouteKey} leads to ${Target}, which does not exist.`);
    return { key: RouteKey, target: { functionName, authorizer: authorizersByRef.get(AuthorizerId) } };
  });
};
