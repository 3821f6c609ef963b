import { ACCOUNT, REGION, type Resolve } from '../template/intrinsics.ts';
import { type Assembly, resourcesOf } from '../template/template.ts';
import { functionNameOf } from './references.ts';

/** Whether a permission of the template lets API Gateway invoke the function for the source with this ARN. */
export type MayInvoke = (functionName: string, sourceArn: string) => boolean;

interface PermissionProperties {
  readonly Action: string;
  readonly FunctionName: string;
  readonly Principal: string;
  readonly SourceArn?: string;
}

const API = `arn:aws:execute-api:${REGION}:${ACCOUNT}:local`;

/**
 * Returns the ARN with which API Gateway calls the function of a route. A route has three parts after the API's id
 * (stage, method and path); the route `$default` has only two.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
 */
export const routeArn = (routeKey: string, method: string): string => {
  const [keyMethod = '', path] = routeKey.split(' ');
  if (path === undefined) return `${API}/$default/${routeKey}`;
  return `${API}/$default/${keyMethod === 'ANY' ? method : keyMethod}${path}`;
};

/** Returns the ARN with which API Gateway calls the function of an authorizer. */
export const authorizerArn = (authorizerId: string): string => `${API}/authorizers/${authorizerId}`;

const wildcards: Readonly<Record<string, string>> = { '*': '.*', '?': '.' };

/** Splits an ARN into its six components. The last component may contain colons. */
const componentsOf = (arn: string): string[] => {
  const parts = arn.split(':');
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
};

/**
 * Whether an ARN matches a pattern as the condition operator `ArnLike` compares them: each of the six components by
 * itself. In a component `*` stands for any characters, slashes included, and `?` for one character.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export const isArnLike = (arn: string, pattern: string): boolean => {
  const components = componentsOf(arn);
  return componentsOf(pattern).every((part, index) => {
    const source = part.replaceAll(/[\\^$.*+?()[\]{}|]/g, (character) => wildcards[character] ?? `\\${character}`);
    return new RegExp(`^${source}$`, 's').test(components[index] ?? '');
  });
};

/** Reads the template's permissions for API Gateway. A function without a fitting permission may not be invoked. */
export const gatewayPermissions = (assembly: Assembly, resolve: Resolve): MayInvoke => {
  const permissions = resourcesOf(assembly, 'AWS::Lambda::Permission')
    .map(({ properties }) => resolve(properties) as PermissionProperties)
    .filter(({ Action, Principal }) => Action === 'lambda:InvokeFunction' && Principal === 'apigateway.amazonaws.com')
    .map(({ FunctionName, SourceArn = '*:*:*:*:*:*' }) => ({ name: functionNameOf(FunctionName), pattern: SourceArn }));
  return (functionName, sourceArn) =>
    permissions.some(({ name, pattern }) => name === functionName && isArnLike(sourceArn, pattern));
};
