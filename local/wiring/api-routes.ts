import type { Authorizer } from '../gateway/authorizer.ts';
import type { RouteTarget } from '../gateway/gateway.ts';
import type { Route } from '../gateway/routes.ts';
import { createThrottle } from '../gateway/throttle.ts';
import type { Resolve } from '../template/intrinsics.ts';
import { type Assembly, resourcesOf } from '../template/template.ts';
import { authorizerArn, gatewayPermissions, type MayInvoke, routeArn } from './gateway-permissions.ts';
import { functionNameOf } from './references.ts';

const HEADER_SOURCE = /^\$request\.header\.([\w-]+)$/;

interface AuthorizerProperties {
  readonly AuthorizerUri: string;
  readonly AuthorizerResultTtlInSeconds?: number;
  readonly EnableSimpleResponses?: boolean;
  readonly IdentitySource?: readonly string[];
}

/**
 * Returns the template's authorizers by reference. Throws for any other kind than a function with one header and simple
 * responses.
 */
const authorizers = (assembly: Assembly, resolve: Resolve, mayInvoke: MayInvoke): Map<unknown, Authorizer> =>
  new Map(
    resourcesOf(assembly, 'AWS::ApiGatewayV2::Authorizer').map(({ logicalId, properties }) => {
      const settings = resolve(properties) as AuthorizerProperties;
      const [, header] = HEADER_SOURCE.exec(settings.IdentitySource?.join() ?? '') ?? [];
      if (header === undefined || !settings.EnableSimpleResponses) {
        throw new Error(`The template's authorizer ${logicalId} is of a kind that the local stack does not know.`);
      }
      const cacheMs = (settings.AuthorizerResultTtlInSeconds ?? 0) * 1000;
      const id = String(resolve({ Ref: logicalId }));
      const functionName = functionNameOf(settings.AuthorizerUri);
      return [id, { functionName, header, cacheMs, isPermitted: mayInvoke(functionName, authorizerArn(id)) }];
    }),
  );

/** Returns the HTTP API's routes, each with the name of its function, the permission to invoke it and its authorizer. */
export const apiRoutes = (assembly: Assembly, resolve: Resolve): Route<RouteTarget>[] => {
  const mayInvoke = gatewayPermissions(assembly, resolve);
  const integrations = new Map(
    resourcesOf(assembly, 'AWS::ApiGatewayV2::Integration').map(({ logicalId, properties }) => {
      const { IntegrationUri } = resolve(properties) as { IntegrationUri: string };
      return [`integrations/${logicalId}`, functionNameOf(IntegrationUri)];
    }),
  );
  const authorizersByRef = authorizers(assembly, resolve, mayInvoke);
  return resourcesOf(assembly, 'AWS::ApiGatewayV2::Route').map(({ properties }) => {
    const { RouteKey, Target, AuthorizerId } = resolve(properties) as {
      RouteKey: string;
      Target: string;
      AuthorizerId?: string;
    };
    const functionName = integrations.get(Target);
    if (functionName === undefined)
      throw new Error(`The template's route ${RouteKey} leads to ${Target}, which does not exist.`);
    return {
      key: RouteKey,
      target: {
        functionName,
        authorizer: authorizersByRef.get(AuthorizerId),
        mayInvoke: (method) => mayInvoke(functionName, routeArn(RouteKey, method)),
      },
    };
  });
};

/**
 * Returns the throttle of the API's stage: a function that is called for each request and returns whether the stage admits
 * it. A stage without a throttle admits every request.
 */
export const stageThrottle = (assembly: Assembly, resolve: Resolve): (() => boolean) => {
  const [stage] = resourcesOf(assembly, 'AWS::ApiGatewayV2::Stage');
  const { ThrottlingRateLimit: ratePerSecond, ThrottlingBurstLimit: burst } = resolve(
    stage?.properties.DefaultRouteSettings ?? {},
  ) as { ThrottlingRateLimit?: number; ThrottlingBurstLimit?: number };
  if (ratePerSecond === undefined || burst === undefined) return () => true;
  return createThrottle({ ratePerSecond, burst }, Date.now);
};
