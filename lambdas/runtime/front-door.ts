import type { APIGatewayProxyEventV2, APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { frontDoorHeaders } from './front-door-headers.ts';

/** What the gateway keeps for a value of the header, and hands on with each request that it lets in. */
interface Admission {
  readonly isAuthorized: boolean;
  readonly context: { readonly cameThroughFrontDoor: boolean };
}

/**
 * The HTTP API's authorizer. Where it throws, the gateway answers 500 and keeps nothing.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html, format 2.0, simple answer.
 */
export const frontDoorHandler =
  (isAdmitted: (shown: string) => Promise<boolean>) =>
  async ({ identitySource }: Pick<APIGatewayRequestAuthorizerEventV2, 'identitySource'>): Promise<Admission> => {
    const isAuthorized = await isAdmitted(identitySource?.[0] ?? '');
    return { isAuthorized, context: { cameThroughFrontDoor: isAuthorized } };
  };

interface Admitted {
  readonly authorizer?: { readonly lambda?: Partial<Admission['context']> | null };
}

/** Whose request it is: the front door's word where it let the request in, and nobody else's. */
export const clientAddress = ({ requestContext, headers }: APIGatewayProxyEventV2): string => {
  const { authorizer } = requestContext as APIGatewayProxyEventV2['requestContext'] & Admitted;
  const told = authorizer?.lambda?.cameThroughFrontDoor ? headers[frontDoorHeaders.viewerAddress] : undefined;
  return told ?? requestContext.http.sourceIp;
};
