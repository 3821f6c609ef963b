import type { Template } from 'aws-cdk-lib/assertions';
import { type Resource, resourcesOf } from './synthesised.ts';

/**
 * Resource types whose replacement loses something: rows, messages, key material, a position in the stream, or an address that
 * clients know. For each type the properties whose change replaces the resource ("Update requires: Replacement"). For a table
 * the check also covers its indexes, which would be rebuilt, and the types of key attributes.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/introduction.html
 */
const replacedFor: Readonly<Record<string, readonly string[]>> = {
  'AWS::DynamoDB::Table': ['TableName', 'KeySchema', 'LocalSecondaryIndexes', 'StreamSpecification'],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
  'AWS::SecretsManager::Secret': ['Name'],
  'AWS::SNS::Topic': ['TopicName', 'FifoTopic'],
  'AWS::Lambda::EventSourceMapping': [
    'EventSourceArn',
    // A change does not replace the mapping, but the new function would continue at the old one's position.
    'FunctionName',
    'StartingPosition',
    'StartingPositionTimestamp',
    'SelfManagedEventSource',
  ],
  'AWS::ApiGatewayV2::Api': ['ProtocolType'],
  'AWS::ApiGatewayV2::Stage': ['ApiId', 'StageName'],
  'AWS::ApiGatewayV2::DomainName': ['DomainName'],
  // Its function fills the secrets once. A new physical id would make CloudFormation delete the old resource afterwards.
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

/** Each stateful resource by its logical id, with the properties that must not change. */
export const statefulResources = (template: Template): Stateful =>
  Object.fromEntries(
    Object.entries(resourcesOf(template)).flatMap(([id, { Type, Properties }]) => {
      const names = replacedFor[Type];
      if (!names) return [];
      const fixed = names.filter((name) => name in Properties).map((name) => [name, Properties[name]]);
      const parts = Type === 'AWS::DynamoDB::Table' ? tableParts(Properties) : {};
      return [[id, { Type, ...Object.fromEntries(fixed), ...parts }]];
    }),
  );

/** One line for each resource that deploying `now` over `former` would delete or replace. */
export const replacements = (former: Stateful, now: Stateful): readonly string[] =>
  Object.entries(former).flatMap(([id, was]) => {
    const is = now[id];
    if (!is) return [`${id} (${was.Type}) would be deleted`];
    const isAddition = (name: string) => /^(index|attribute) /.test(name) && !(name in was);
    return [...new Set([...Object.keys(was), ...Object.keys(is)])]
      .filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]) && !isAddition(name))
      .map((name) => `${id} (${was.Type}) would be replaced: ${name} changes`);
  });
