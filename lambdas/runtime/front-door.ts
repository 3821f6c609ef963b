import type { APIGatewayProxyEventV2, APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { frontDoorHeaders } from './front-door-headers.ts';

/**
 * The answer of the gateway's authorizer. The gateway caches the answer for each value of the front door header and
 * passes `context` to the function.
 */
interface Admission {
  readonly isAuthorized: boolean;
  readonly context: { readonly cameThroughFrontDoor: boolean };
}

/**
 * Creates the handler of the HTTP API's authorizer, which checks the front door header. If the handler throws, the
 * gateway answers 500 and caches nothing. Format 2.0, simple answer:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
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

/**
 * Returns the client's IP address: the value of the front door's header if the request came through the front door,
 * otherwise the address that the gateway sees.
 */
export const clientAddress = ({ requestContext, headers }: APIGatewayProxyEventV2): string => {
  const { authorizer } = requestContext as APIGatewayProxyEventV2['requestContext'] & Admitted;
  const viewerAddress = authorizer?.lambda?.cameThroughFrontDoor ? headers[frontDoorHeaders.viewerAddress] : undefined;
  return viewerAddress ?? requestContext.http.sourceIp;
};
