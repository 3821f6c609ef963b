import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Aws, CfnOutput, Duration, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { env } from '../lambdas/runtime/env.ts';
import { apiDomain, domainRecord } from './api-domain.ts';
import { FrontDoor } from './front-door.ts';
import { createLogGroup, grant, lambdaFunction } from './lambda-function.ts';
import type { StageConfig } from './stage-config.ts';
import type { Storage } from './storage.ts';

export interface PublicApiProps {
  readonly stage: StageConfig;
  readonly storage: Storage;
}

const v1 = '/api/public/v1';
const resource = (base: string) => [base, `${base}/{proxy+}`];

/** Any method: a wrong one is answered by the function, in the shape of its surface. The most specific path wins. */
const paths = {
  'tasks-api': resource(`${v1}/tasks`),
  'webhooks-api': resource(`${v1}/webhooks`),
  'deliveries-api': [
    ...resource(`${v1}/deliveries`),
    `${v1}/webhooks/{id}/deliveries`,
    `${v1}/webhooks/{id}/test`,
    `${v1}/webhooks/{id}/recover`,
    `${v1}/webhooks/{id}/stats`,
  ],
  'events-api': resource(`${v1}/events`),
  'jobs-api': resource(`${v1}/jobs`),
  'keys-api': resource(`${v1}/keys`),
  'accounts-api': resource(`${v1}/accounts`),
  'audit-api': resource(`${v1}/audit`),
  'catalogue-api': [...resource(`${v1}/event-types`), ...resource(`${v1}/profiles`), ...resource(`${v1}/templates`)],
  'docs-api': [`${v1}/openapi.json`, ...resource('/docs'), '/health'],
  'public-keys-api': ['/.well-known/jwks.json', '/inpost/public-key'],
  'passmint-api': resource('/v1/webhooks'),
  'passcreator-api': ['/api/hook/{proxy+}'],
  'fallback-api': [],
} as const satisfies Readonly<Record<string, readonly string[]>>;
type ApiName = keyof typeof paths;
const apiNames = Object.keys(paths) as readonly ApiName[];

const forEachApi = <T>(make: (name: ApiName) => T): Readonly<Record<ApiName, T>> =>
  Object.fromEntries(apiNames.map((name) => [name, make(name)])) as Record<ApiName, T>;

/** Neither query strings nor headers: both may carry secrets. */
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

/** The HTTP API: which path goes to which function. */
export class PublicApi extends Construct {
  readonly stage: HttpStage;
  private readonly config: StageConfig;
  private readonly ownHosts: readonly string[];

  constructor(scope: Construct, id: string, { stage, storage }: PublicApiProps) {
    super(scope, id);
    this.config = stage;
    const functions = forEachApi((name) => lambdaFunction(this, name, { stage, timeout: Duration.seconds(29) }));
    const integrations = forEachApi(
      // One permission for the whole API in place of one per route: a function's policy holds 20 KB.
      (name) => new HttpLambdaIntegration(`${name}-integration`, functions[name], { scopePermissionToRoute: false }),
    );
    const frontDoor = stage.frontDoor && new FrontDoor(this, 'front-door', { stage, frontDoor: stage.frontDoor });
    const http = new HttpApi(this, 'http-api', {
      apiName: `passpost-${stage.stage}`,
      createDefaultStage: false,
      ...(frontDoor ? { defaultAuthorizer: frontDoor.authorizer } : {}),
      defaultIntegration: integrations['fallback-api'],
    });
    for (const name of apiNames) {
      for (const path of paths[name]) {
        http.addRoutes({ path, methods: [HttpMethod.ANY], integration: integrations[name] });
      }
    }

    const accessLog = createLogGroup(this, 'access-log', stage);
    this.stage = new HttpStage(this, 'stage', {
      httpApi: http,
      stageName: '$default',
      autoDeploy: true,
      accessLogSettings: { destination: new LogGroupLogDestination(accessLog), format: logFormat },
    });

    this.ownHosts = this.serve(http, frontDoor);
    const url = `https://${this.ownHosts.at(-1)}`;
    new CfnOutput(this, 'url', { value: url, description: 'The API' }).overrideLogicalId('ApiUrl');

    this.grantAll(functions, storage);
    this.acknowledge(http);
  }

  /** For functions that check or call the addresses users give: never our own, nor this machine's unless the stage says so. */
  guardEgress(fn: LambdaFunction): void {
    const { egressAllow } = this.config;
    grant(fn, [], {
      [env.ownHosts]: this.ownHosts.join(','),
      ...(egressAllow ? { [env.egressAllow]: egressAllow } : {}),
      // Names are looked up on these threads: with libuv's four, a few name servers that stall would hold up everybody.
      UV_THREADPOOL_SIZE: '64',
    });
  }

  /** All host names that lead to the API; the last is the one to call it by. */
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
    const keyed: readonly ApiName[] = [
      'tasks-api',
      'webhooks-api',
      'deliveries-api',
      'events-api',
      'jobs-api',
      'keys-api',
      'accounts-api',
      'audit-api',
      'catalogue-api',
      'passmint-api',
      'passcreator-api',
    ];
    for (const name of keyed) storage.grantKeyCounting(functions[name]);
    storage.grantTasks(functions['tasks-api']);
    storage.grantWebhooks(functions['webhooks-api']);
    this.guardEgress(functions['webhooks-api']);
    for (const name of ['passmint-api', 'passcreator-api'] as const) {
      storage.grantWebhooks(functions[name]);
      this.guardEgress(functions[name]);
    }
    for (const name of ['webhooks-api', 'passmint-api'] as const) storage.grantFirstAnswers(functions[name]);
    storage.grantResourceChanges(functions['webhooks-api']);
    storage.grantDeliveryListing(functions['passmint-api']);
    storage.grantDeliveryHistory(functions['deliveries-api']);
    storage.grantHours(functions['deliveries-api']);
    storage.grantEvents(functions['events-api']);
    storage.grantCatalogue(functions['catalogue-api']);
    storage.grantJobs(functions['jobs-api']);
    storage.grantKeys(functions['keys-api']);
    storage.grantAccounts(functions['accounts-api']);
    storage.grantAudit(functions['audit-api']);
    storage.grantPublicKeys(functions['public-keys-api']);
  }

  private acknowledge(http: HttpApi): void {
    Validations.of(http).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason:
        "API keys are checked by the functions, in the same conditional write that counts the request against the key's limit: an authorizer would cost a second call and could serve a revoked key from its cache.",
    });
    Validations.of(this.stage).acknowledge({
      id: 'Serverless-APIGWDefaultThrottling',
      reason:
        "The gateway's own throttling is best effort and its 429 cannot be shaped: the limit that counts is exact, per key and ours, and the account's quota stands behind it.",
    });
  }
}
