import { CfnRoute, type HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Function as CloudFrontFunction,
  Distribution,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  OriginSslPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Aws, CfnOutput, Duration, Names, RemovalPolicy, SecretValue, Stack, Validations } from 'aws-cdk-lib/core';
import { Construct, type IDependable } from 'constructs';
import { env } from '../lambdas/runtime/env.ts';
import { frontDoorHeaders } from '../lambdas/runtime/front-door-headers.ts';
import { customerKey } from './customer-key.ts';
import { grant, grantCustomerKey, lambdaFunction } from './lambda-function.ts';
import type { FrontDoorConfig, StageConfig } from './stage-config.ts';

export interface FrontDoorProps {
  readonly stage: StageConfig;
  readonly frontDoor: FrontDoorConfig;
}

const AUTHORIZER = 'front-door';

/** Statuses that CloudFront caches as errors. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html */
const CACHED_ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/**
 * The code of a CloudFront function that passes the viewer's address on in a header, because the gateway sees only
 * CloudFront's address. A header that a client sent is overwritten.
 */
const viewerFunctionCode = `function handler(event) {
  event.request.headers['${frontDoorHeaders.viewerAddress}'] = { value: event.viewer.ip };
  return event.request;
}`;

/**
 * CloudFront with the customer's web ACL in front of the HTTP API, because AWS WAF cannot be attached to an HTTP API.
 * CloudFront adds a secret header and the API's authorizer requires it, so nobody can bypass CloudFront.
 */
export class FrontDoor extends Construct {
  readonly authorizer: HttpLambdaAuthorizer;
  private readonly config: FrontDoorConfig;
  private readonly secret: Secret;

  constructor(scope: Construct, id: string, { stage, frontDoor }: FrontDoorProps) {
    super(scope, id);
    this.config = frontDoor;
    const encryptionKey = customerKey(this, stage);
    this.secret = new Secret(this, 'front-door-secret', {
      description: 'PassPost: secret that CloudFront sends to the API',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      // Deletes the secret with the stack, because it is useless without the distribution.
      removalPolicy: RemovalPolicy.DESTROY,
      ...(encryptionKey ? { encryptionKey } : {}),
    });
    new CfnOutput(this, 'secret-arn', { value: this.secret.secretArn }).overrideLogicalId('FrontDoorSecret');
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'CloudFront gets a new value only by a deployment, so a rotation schedule would lock out every caller; docs/deploying.md says how to replace the secret without refusing a request.',
    });
    const check = lambdaFunction(this, 'front-door', { stage, timeout: Duration.seconds(10) });
    grant(check, [{ actions: ['secretsmanager:GetSecretValue'], resources: [this.secret.secretArn] }], {
      [env.frontDoorSecret]: this.secret.secretArn,
    });
    grantCustomerKey(check, stage, 'secretsmanager');
    this.authorizer = new HttpLambdaAuthorizer(AUTHORIZER, check, {
      authorizerName: AUTHORIZER,
      identitySource: [`$request.header.${frontDoorHeaders.pass}`],
      responseTypes: [HttpLambdaResponseType.SIMPLE],
      // Caches the authorizer's result for five minutes. All callers send the same value, so the cached result answers
      // nearly every request.
      resultsCacheTtl: Duration.minutes(5),
    });
  }

  /**
   * Sets the order of the deployment: the API requires the front door's secret only after `step`, the resource that
   * leads callers to CloudFront, and after the gateway may invoke the authorizer.
   */
  requireOnlyAfter(api: HttpApi, step: IDependable): void {
    // Finds the authorizer and its permission, which the CDK creates with the first route that uses the authorizer.
    const authorizer = api.node.findChild(AUTHORIZER);
    const permission = api.node.findChild(`${Names.nodeUniqueId(authorizer.node)}-Permission`);
    authorizer.node.addDependency(step);
    for (const route of api.node.findAll()) if (route instanceof CfnRoute) route.node.addDependency(permission);
  }

  /** Creates the CloudFront distribution in front of the API. */
  createDistribution(api: HttpApi, domain: StageConfig['domain']): Distribution {
    const viewer = new CloudFrontFunction(this, 'viewer', {
      // The function's name contains the name of the stack, because names of CloudFront functions are unique in an AWS
      // account, and the CDK's generated name would be the same for every stage.
      functionName: `${Stack.of(this).stackName}-${Aws.REGION}-viewer`,
      code: FunctionCode.fromInline(viewerFunctionCode),
      runtime: FunctionRuntime.JS_2_0,
      comment: "PassPost: passes the viewer's address on",
    });
    const { webAclArn, secretVersion } = this.config;
    const shown = SecretValue.secretsManager(this.secret.secretArn, secretVersion ? { versionId: secretVersion } : {});
    const distribution = new Distribution(this, 'distribution', {
      comment: `PassPost (${api.httpApiName ?? ''})`,
      webAclId: webAclArn,
      httpVersion: HttpVersion.HTTP2_AND_3,
      ...(domain
        ? {
            minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
            domainNames: [domain.domainName],
            certificate: Certificate.fromCertificateArn(this, 'certificate', domain.certificateArn),
          }
        : {}),
      defaultBehavior: {
        origin: new HttpOrigin(`${api.apiId}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}`, {
          protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
          originSslProtocols: [OriginSslPolicy.TLS_V1_2],
          // CloudFront waits up to 30 s for the API's response, as long as the API gateway's own limit, because a call
          // that creates a job may wait nearly that long for the account's worker to complete the job.
          readTimeout: Duration.seconds(30),
          customHeaders: { [frontDoorHeaders.pass]: shown.unsafeUnwrap() },
        }),
        viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
        allowedMethods: AllowedMethods.ALLOW_ALL,
        cachePolicy: CachePolicy.CACHING_DISABLED,
        originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        compress: false,
        functionAssociations: [{ function: viewer, eventType: FunctionEventType.VIEWER_REQUEST }],
      },
      // Caches no errors. Otherwise CloudFront caches an error for ten seconds despite the cache policy, and serves it
      // to other accounts.
      errorResponses: CACHED_ERRORS.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
    });
    new CfnOutput(this, 'host', { value: distribution.distributionDomainName }).overrideLogicalId('FrontDoorHost');
    this.acknowledge(distribution);
    return distribution;
  }

  private acknowledge(distribution: Distribution): void {
    const reasons = {
      'AwsSolutions-CFR1': 'The customer’s web ACL decides which countries may call.',
      'AwsSolutions-CFR3':
        'Its log would contain query strings, which no PassPost log contains. The API logs each request that passes, and the web ACL logs each request that it blocks.',
      'AwsSolutions-CFR4':
        'Without a domain name of the customer, CloudFront uses its own certificate and chooses the TLS versions itself.',
    };
    for (const [id, reason] of Object.entries(reasons)) Validations.of(distribution).acknowledge({ id, reason });
  }
}
