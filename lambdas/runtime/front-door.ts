import type { APIGatewayProxyEventV2, APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { frontDoorHeaders } from './front-door-headers.ts';

/** The authorizer's answer. The gateway caches it by the header's value and passes `context` to the function. */
interface Admission {
  readonly isAuthorized: boolean;
  readonly context: { readonly cameThroughFrontDoor: boolean };
}

/**
 * The HTTP API's authorizer. If it throws, the gateway answers 500 and caches nothing.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html, format 2.0, simple answer.
 */
export const frontDoorHandler =
  (isAdmitted: (headerValue: string) => Promise<boolean>) =>
  async ({ identitySource }: Pick<APIGatewayRequestAuthorizerEventV2, 'identitySource'>): Promise<Admission> => {
    const isAuthorized = await isAdmitted(identitySource?.[0] ?? '');
    return { isAuthorized, context: { cameThroughFrontDoor: isAuthorized } };
  };

interface Admitted {
  readonly authorizer?: { readonly lambda?: Partial<Admission['context']> | null };
}

/** The client's IP address: the front door's header if the request came through the front door, otherwise the address that the gateway sees. */
export const clientAddress = ({ requestContext, headers }: APIGatewayProxyEventV2): string => {
  const { authorizer } = requestContext as APIGatewayProxyEventV2['requestContext'] & Admitted;
  const viewerAddress = authorizer?.lambda?.cameThroughFrontDoor ? headers[frontDoorHeaders.viewerAddress] : undefined;
  return viewerAddress ?? requestContext.http.sourceIp;
};
