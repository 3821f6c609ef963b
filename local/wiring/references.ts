import { queueArn } from '../queues/queues.ts';
import { secretArn } from '../state/secrets.ts';
import type { Table } from '../tables/tables.ts';
import { ACCOUNT, REGION, type References } from '../template/intrinsics.ts';
import type { Assembly, Resource } from '../template/template.ts';

/**
 * Values of the template's references that are known only after the gateway, the engines and the custom resources have
 * started.
 */
export interface Running {
  gatewayUrl: string;
  /** The endpoint at which functions call the queues: the local SQS, or a test's interceptor in front of it. */
  queueEndpoint: string;
  readonly tables: Map<string, Table>;
  readonly customData: Map<string, Readonly<Record<string, unknown>>>;
}

export const functionArn = (name: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;

/**
 * Returns the function's name from an ARN (`arn:…:function:name`), from an invocation path that contains an ARN, or
 * from a plain name.
 */
export const functionNameOf = (reference: string): string => /:function:([^:/]+)/.exec(reference)?.[1] ?? reference;

type Attributes = Readonly<Record<string, string | undefined>> & { readonly Ref: string };

/** Creates the values of `Ref` and `Fn::GetAtt` for each resource. Throws for a resource that the template does not have. */
export const createReferences = ({ resources }: Assembly, running: Running): References => {
  const attributesByType: Readonly<Record<string, (resource: Resource) => Attributes>> = {
    'AWS::DynamoDB::Table': ({ logicalId }) => ({
      Ref: logicalId,
      Arn: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${logicalId}`,
      StreamArn: running.tables.get(logicalId)?.streamArn,
    }),
    'AWS::SQS::Queue': ({ logicalId }) => {
      const url = `${running.queueEndpoint}/${ACCOUNT}/${logicalId}`;
      return { Ref: url, QueueUrl: url, Arn: queueArn(logicalId), QueueName: logicalId };
    },
    'AWS::Lambda::Function': ({ name }) => ({ Ref: name, Arn: functionArn(name) }),
    'AWS::SecretsManager::Secret': ({ logicalId }) => ({ Ref: secretArn(logicalId), Id: secretArn(logicalId) }),
    'AWS::ApiGatewayV2::Api': () => ({ Ref: 'local', ApiId: 'local', ApiEndpoint: running.gatewayUrl }),
  };

  const describe = (logicalId: string): Attributes | undefined => {
    const resource = resources.get(logicalId);
    if (!resource && logicalId !== 'BootstrapVersion')
      throw new Error(`The template refers to ${logicalId}, which it does not have.`);
    return resource && attributesByType[resource.type]?.(resource);
  };

  return {
    ref: (logicalId) => describe(logicalId)?.Ref ?? logicalId,
    attribute(logicalId, name) {
      const attributes = describe(logicalId);
      // A resource that does not exist locally, for example a role or a log group, gets an invented ARN for each attribute.
      return (
        attributes?.[name] ??
        running.customData.get(logicalId)?.[name] ??
        `arn:aws:local:${REGION}:${ACCOUNT}:${logicalId}/${name}`
      );
    },
  };
};
