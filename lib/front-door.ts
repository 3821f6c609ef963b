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

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html, with those that it may be told to keep. */
const KEPT_ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/** The gateway sees CloudFront's address only. What a client puts into the header itself is overwritten. */
const tellViewer = `function handler(event) {
  event.request.headers['${frontDoorHeaders.viewerAddress}'] = { value: event.viewer.ip };
  return event.request;
}`;

/**
 * CloudFront with the customer's web ACL before the HTTP API, to which AWS WAF cannot be attached, and what keeps others
 * from going round it: CloudFront shows a secret that the API's authorizer asks for.
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
      description: 'PassPost: what CloudFront shows the API',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      // Worth nothing without the distribution.
      removalPolicy: RemovalPolicy.DESTROY,
      ...(encryptionKey ? { encryptionKey } : {}),
    });
    new CfnOutput(this, 'secret-arn', { value: this.secret.secretArn }).overrideLogicalId('FrontDoorSecret');
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'CloudFront learns a new value from a deployment only, so a schedule would shut everybody out; docs/deploying.md says how it is replaced without refusing a request.',
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
      // One value comes from everybody, so that the function is hardly ever asked.
      resultsCacheTtl: Duration.minutes(5),
    });
  }

  /** Nobody is asked for the secret before callers are led to where it is shown, and before the gateway may ask. */
  askOnlyAfter(api: HttpApi, step: IDependable): void {
    // The CDK makes both with the first route that asks.
    const authorizer = api.node.findChild(AUTHORIZER);
    const permission = api.node.findChild(`${Names.nodeUniqueId(authorizer.node)}-Permission`);
    authorizer.node.addDependency(step);
    for (const route of api.node.findAll()) if (route instanceof CfnRoute) route.node.addDependency(permission);
  }

  /** Puts CloudFront before the API, and gives it. */
  before(api: HttpApi, domain: StageConfig['domain']): Distribution {
    const viewer = new CloudFrontFunction(this, 'viewer', {
      // One namespace for the whole account; the CDK's own name would be the same for each stage.
      functionName: `${Stack.of(this).stackName}-${Aws.REGION}-viewer`,
      code: FunctionCode.fromInline(tellViewer),
      runtime: FunctionRuntime.JS_2_0,
      comment: 'PassPost: who asks',
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
          // The gateway's own limit: a call may wait for a worker for most of it.
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
      // These it would keep for ten seconds whatever a policy says, and give one account's to another.
      errorResponses: KEPT_ERRORS.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
    });
    new CfnOutput(this, 'host', { value: distribution.distributionDomainName }).overrideLogicalId('FrontDoorHost');
    this.acknowledge(distribution);
    return distribution;
  }

  private acknowledge(distribution: Distribution): void {
    const reasons = {
      'AwsSolutions-CFR1': 'Who may come from where is for the web ACL to say, which is the customer’s.',
      'AwsSolutions-CFR3':
        'Its log would hold query strings, which no log of ours does; each request that came through stands in the API’s own log, each that the web ACL stopped in the web ACL’s.',
      'AwsSolutions-CFR4':
        'Without a name of the customer’s CloudFront serves its own certificate, and chooses the TLS versions with it.',
    };
    for (const [id, reason] of Object.entries(reasons)) Validations.of(distribution).acknowledge({ id, reason });
  }
}
