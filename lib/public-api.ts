import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Aws, CfnOutput, Duration, Fn, Stack, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { type ResourceApi, resources } from '../lambdas/domain/foundation/resources.ts';
import { env } from '../lambdas/runtime/env.ts';
import { apiDomain, domainRecord } from './api-domain.ts';
import { FallbackIntegration } from './fallback-integration.ts';
import { FrontDoor } from './front-door.ts';
import { createLogGroup, grant, lambdaFunction } from './lambda-function.ts';
import type { StageConfig } from './stage-config.ts';
import type { Storage } from './storage.ts';

export interface PublicApiProps {
  readonly stage: StageConfig;
  readonly storage: Storage;
}

const v1 = '/api/public/v1';
const nativeResources = Object.values(resources);

/**
 * The paths of the functions that serve no resource of the native API. `fallback-api` lists no paths, because it
 * answers every request that no route matches.
 */
const otherPaths = {
  'docs-api': [`${v1}/openapi.json`, '/docs', '/docs/{proxy+}', '/health'],
  'public-keys-api': ['/.well-known/jwks.json', '/accounts/{id}/{mode}/jwks.json', '/inpost/public-key'],
  'passmint-api': ['/v1/webhooks', '/v1/webhooks/{proxy+}'],
  'passcreator-api': ['/api/hook/{proxy+}'],
  'fallback-api': [],
} as const satisfies Readonly<Record<string, readonly string[]>>;
type ApiName = ResourceApi | keyof typeof otherPaths;

/**
 * Each path of the API with its function. A route accepts any method: the function itself rejects a wrong method, in
 * the format of its surface. The most specific path wins.
 */
const routes: readonly (readonly [path: string, name: ApiName])[] = [
  ...nativeResources.flatMap(({ api, paths }) => paths.map((path) => [`${v1}${path}`, api] as const)),
  ...Object.entries(otherPaths).flatMap(([name, paths]) => paths.map((path) => [path, name as ApiName] as const)),
];
const apiNames: readonly ApiName[] = [
  ...new Set(nativeResources.map(({ api }) => api)),
  ...(Object.keys(otherPaths) as (keyof typeof otherPaths)[]),
];

/** The functions whose calls need an API key. */
const keyedNames = [
  ...new Set(nativeResources.map(({ api }) => api)),
  'passmint-api',
  'passcreator-api',
] as const satisfies readonly ApiName[];

const forEachApi = <T>(make: (name: ApiName) => T): Readonly<Record<ApiName, T>> =>
  Object.fromEntries(apiNames.map((name) => [name, make(name)])) as Record<ApiName, T>;

/** The format of the access log. It has no query strings and no headers, because both may hold secrets. */
const logFormat = AccessLogFormat.custom(
  JSON.stringify({
    requestId: '$context.requestId',
    time: '$context.requestTime',
    ip: '$context.identity.sourceIp',
    method: '$context.httpMethod',
    path: '$context.path',
    route: '$context.routeKey',
    status: '$context.status',
    responseLength: '$context.responseLength',
    latencyMs: '$context.responseLatency',
    integrationError: '$context.integrationErrorMessage',
  }),
);

/**
 * Returns the name of the access log. AWS lists each log group of a gateway in a resource policy of the account with at
 * most 5,120 characters, but lists all groups under `/aws/vendedlogs/` with one entry. The unique id in the stack's ARN
 * is part of the name, because a deleted stack may have left a log group.
 * https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
 */
const accessLogName = (scope: Construct): string =>
  `/aws/vendedlogs/${Stack.of(scope).stackName}/access-${Fn.select(2, Fn.split('/', Aws.STACK_ID))}`;

/** The HTTP API: sends each path to its function. */
export class PublicApi extends Construct {
  readonly stage: HttpStage;
  /** The functions that answer 401 to a call without a valid API key. */
  readonly keyedFunctions: readonly LambdaFunction[];
  private readonly config: StageConfig;
  private readonly ownHosts: readonly string[];

  constructor(scope: Construct, id: string, { stage, storage }: PublicApiProps) {
    super(scope, id);
    this.config = stage;
    const functions = forEachApi((name) => lambdaFunction(this, name, { stage, timeout: Duration.seconds(29) }));
    this.keyedFunctions = keyedNames.map((name) => functions[name]);
    const integrations = forEachApi(
      // Grants one permission for the whole API instead of one for each route, because a function's policy is limited
      // to 20 KB.
      (name) => new HttpLambdaIntegration(`${name}-integration`, functions[name], { scopePermissionToRoute: false }),
    );
    const fallback = new FallbackIntegration('fallback-api-integration', functions['fallback-api']);
    const frontDoor = stage.frontDoor && new FrontDoor(this, 'front-door', { stage, frontDoor: stage.frontDoor });
    const http = new HttpApi(this, 'http-api', {
      apiName: `passpost-${stage.stage}`,
      createDefaultStage: false,
      ...(frontDoor ? { defaultAuthorizer: frontDoor.authorizer } : {}),
      defaultIntegration: fallback,
    });
    for (const [path, name] of routes) {
      http.addRoutes({ path, methods: [HttpMethod.ANY], integration: integrations[name] });
    }

    const accessLog = createLogGroup(this, 'access-log', stage, accessLogName(this));
    this.stage = new HttpStage(this, 'stage', {
      httpApi: http,
      stageName: '$default',
      autoDeploy: true,
      // Limits all callers together, those without a valid key too. The functions enforce the exact limit of each key.
      throttle: { rateLimit: stage.apiRateLimit, burstLimit: stage.apiBurstLimit },
      accessLogSettings: { destination: new LogGroupLogDestination(accessLog), format: logFormat },
    });

    this.ownHosts = this.serve(http, frontDoor);
    const url = `https://${this.ownHosts.at(-1)}`;
    new CfnOutput(this, 'url', { value: url, description: 'The API' }).overrideLogicalId('ApiUrl');

    this.grantAll(functions, storage);
    this.acknowledge(http);
  }

  /**
   * Sets the variables of a function that checks or calls webhook addresses. They forbid the API's own hosts, and
   * loopback unless the stage allows it.
   */
  guardEgress(fn: LambdaFunction): void {
    const { egressAllow } = this.config;
    grant(fn, [], {
      [env.ownHosts]: this.ownHosts.join(','),
      ...(egressAllow ? { [env.egressAllow]: egressAllow } : {}),
      // Gives the function 64 threads, on which DNS lookups run. With libuv's default of four threads, a few stalled
      // name servers would block every request.
      UV_THREADPOOL_SIZE: '64',
    });
  }

  /**
   * Creates the CloudFront distribution and the DNS record of the API's domain, as far as the stage has a front door
   * and a domain. Returns all host names of the API; clients use the last one.
   */
  private serve(http: HttpApi, frontDoor: FrontDoor | null): readonly string[] {
    const { domain } = this.config;
    const hosts = [`${http.apiId}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}`];
    if (frontDoor) {
      const distribution = frontDoor.createDistribution(http, domain);
      hosts.push(distribution.distributionDomainName);
      const record = domain && domainRecord(this, domain, new CloudFrontTarget(distribution));
      frontDoor.requireOnlyAfter(http, record ?? distribution);
    } else if (domain) {
      domainRecord(this, domain, apiDomain(this, domain, http, this.stage));
    }
    return domain ? [...hosts, domain.domainName] : hosts;
  }

  private grantAll(functions: Readonly<Record<ApiName, LambdaFunction>>, storage: Storage): void {
    for (const name of keyedNames) storage.grantKeyCounting(functions[name]);
    for (const { api, grants } of nativeResources) {
      for (const grantMethod of grants) storage[grantMethod](functions[api]);
    }
    for (const name of ['passmint-api', 'passcreator-api'] as const) storage.grantWebhooks(functions[name]);
    for (const name of ['webhooks-api', 'passmint-api', 'passcreator-api'] as const) this.guardEgress(functions[name]);
    storage.grantTemplateLookup(functions['passcreator-api']);
    storage.grantFirstAnswers(functions['passmint-api']);
    storage.grantDeliveryListing(functions['passmint-api']);
    storage.grantNewSigningKeys(functions['passcreator-api']);
    storage.grantPublishedKeys(functions['public-keys-api']);
  }

  private acknowledge(http: HttpApi): void {
    Validations.of(http).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason:
        "The functions check API keys, in the same conditional write that counts the request against the key's limit. An authorizer would cost a second call and could accept a revoked key from its cache.",
    });
  }
}
