import type { Template } from 'aws-cdk-lib/assertions';
import { type Resource, resourcesOf } from './synthesised.ts';

/**
 * What holds something that a new one in its place would not: rows, messages, key material, a place in the stream, an
 * address that clients know. For each type the properties that CloudFormation replaces it for ("Update requires:
 * Replacement"); of a table also each index, which would be built anew, and the types of the attributes in keys.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/introduction.html
 */
const replacedFor: Readonly<Record<string, readonly string[]>> = {
  'AWS::DynamoDB::Table': ['TableName', 'KeySchema', 'LocalSecondaryIndexes', 'StreamSpecification'],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
  'AWS::SecretsManager::Secret': ['Name'],
  'AWS::SNS::Topic': ['TopicName', 'FifoTopic'],
  'AWS::Lambda::EventSourceMapping': [
    'EventSourceArn',
    // Not replaced for it, but another function would go on from the old one's place.
    'FunctionName',
    'StartingPosition',
    'StartingPositionTimestamp',
    'SelfManagedEventSource',
  ],
  'AWS::ApiGatewayV2::Api': ['ProtocolType'],
  'AWS::ApiGatewayV2::Stage': ['ApiId', 'StageName'],
  'AWS::ApiGatewayV2::DomainName': ['DomainName'],
  // Its function fills the secrets once; a new physical id makes CloudFormation delete the old one after.
  'Custom::PassPostKeyMaterial': ['ServiceToken'],
};

export type Stateful = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const tableParts = ({ GlobalSecondaryIndexes = [], AttributeDefinitions = [] }: Resource['Properties']) =>
  Object.fromEntries([
    ...(GlobalSecondaryIndexes as { IndexName: string }[]).map((index) => [`index ${index.IndexName}`, index]),
    ...(AttributeDefinitions as { AttributeName: string; AttributeType: string }[]).map(
      ({ AttributeName, AttributeType }) => [`attribute ${AttributeName}`, AttributeType],
    ),
  ]);

/** Each stateful resource by its logical id, with what must stay. */
export const statefulResources = (template: Template): Stateful =>
  Object.fromEntries(
    Object.entries(resourcesOf(template)).flatMap(([id, { Type, Properties }]) => {
      const names = replacedFor[Type];
      if (!names) return [];
      const kept = names.filter((name) => name in Properties).map((name) => [name, Properties[name]]);
      const parts = Type === 'AWS::DynamoDB::Table' ? tableParts(Properties) : {};
      return [[id, { Type, ...Object.fromEntries(kept), ...parts }]];
    }),
  );

/** What deploying `now` over `former` would take away or make anew, a line each. */
export const replacements = (former: Stateful, now: Stateful): readonly string[] =>
  Object.entries(former).flatMap(([id, was]) => {
    const is = now[id];
    if (!is) return [`${id} (${was.Type}) would be deleted`];
    const isAddition = (name: string) => /^(index|attribute) /.test(name) && !(name in was);
    return [...new Set([...Object.keys(was), ...Object.keys(is)])]
      .filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]) && !isAddition(name))
      .map((name) => `${id} (${was.Type}) would be replaced: ${name} is another`);
  });
