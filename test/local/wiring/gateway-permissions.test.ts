import { describe, expect, it } from 'vitest';
import { gatewayPermissions, isArnLike, routeArn } from '../../../local/wiring/gateway-permissions.ts';

const api = 'arn:aws:execute-api:us-east-1:000000000000:local';
const permission = {
  Action: 'lambda:InvokeFunction',
  FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:api',
  Principal: 'apigateway.amazonaws.com',
  SourceArn: `${api}/*/*/*`,
};
const mayInvoke = (properties: object, functionName: string, sourceArn: string) => {
  const resource = { logicalId: 'P', name: 'P', type: 'AWS::Lambda::Permission', properties: { ...properties } };
  const assembly = { stackName: '', resources: new Map([['P', resource]]), outputs: {}, bundle: () => '' };
  return gatewayPermissions(assembly, (value) => value)(functionName, sourceArn);
};

describe('the source ARN of a call of API Gateway', () => {
  it.each([
    ['$default', `${api}/$default/$default`],
    ['ANY /things/{proxy+}', `${api}/$default/GET/things/{proxy+}`],
    ['POST /things', `${api}/$default/POST/things`],
  ])('has stage, method and path for a method and path, and stage and $default for $default: %s', (key, arn) => {
    expect(routeArn(key, 'GET')).toBe(arn);
  });
});

describe('a permission of the template for API Gateway', () => {
  // AWS SAM had this bug, too: https://github.com/aws/serverless-application-model/issues/1860
  it.each([
    ['does not match', '*/*/*', '$default', false],
    ['matches', '*/$default', '$default', true],
    ['matches', '*', '$default', true],
    ['matches', '*/*/*', 'ANY /things', true],
    ['matches', '*/*/*', 'ANY /things/{id}/parts', true],
    ['matches', '*/*', 'ANY /things/{id}/parts', true],
    ['matches', '*/GE?/things', 'ANY /things', true],
    ['does not match', '*/POST/things', 'ANY /things', false],
    ['does not match', '*/$default', 'ANY /things', false],
    ['does not match', '*/*/thing.', 'ANY /things', false],
  ])('%s with the pattern <api>/%s the ARN of a GET on the route %s', (_, pattern, key, expected) => {
    expect(isArnLike(routeArn(key, 'GET'), `${api}/${pattern}`)).toBe(expected);
  });

  it('compares each of the six components by itself: a wildcard does not cross a colon', () => {
    expect(isArnLike(`${api}/a`, 'arn:aws:*:local/a')).toBe(false);
    expect(isArnLike(`${api}/a`, 'arn:aws:execute-api:*:*:local/a')).toBe(true);
  });

  it('admits calls only to its function, only for the principal API Gateway, and every source without a SourceArn', () => {
    const source = routeArn('ANY /things', 'GET');

    expect(mayInvoke(permission, 'api', source)).toBe(true);
    expect(mayInvoke({ ...permission, SourceArn: undefined }, 'api', source)).toBe(true);
    expect(mayInvoke(permission, 'other', source)).toBe(false);
    expect(mayInvoke({ ...permission, Principal: 'events.amazonaws.com' }, 'api', source)).toBe(false);
    expect(mayInvoke({ ...permission, Action: 'lambda:GetFunction' }, 'api', source)).toBe(false);
  });
});
