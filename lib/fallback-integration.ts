import type { HttpRouteIntegrationBindOptions } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Stack } from 'aws-cdk-lib/core';

/**
 * The integration of the route `$default`, with a permission of its own. API Gateway calls this route's function with a
 * source ARN that has two parts after the API's id, `<stage>/$default`. The CDK's permission demands three parts, so
 * every unknown path would answer 500.
 * https://github.com/aws/serverless-application-model/issues/1860
 */
export class FallbackIntegration extends HttpLambdaIntegration {
  private readonly fn: LambdaFunction;

  constructor(id: string, fn: LambdaFunction) {
    super(id, fn);
    this.fn = fn;
  }

  protected override completeBind({ route, scope }: HttpRouteIntegrationBindOptions): void {
    this.fn.addPermission('fallback-permission', {
      scope,
      principal: new ServicePrincipal('apigateway.amazonaws.com'),
      sourceArn: Stack.of(route).formatArn({
        service: 'execute-api',
        resource: route.httpApi.apiId,
        resourceName: '*/$default',
      }),
    });
  }
}
