import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { readStackFile } from '../local/state/stack-file.ts';
import { type Resources, resourcesIn, type StackResource } from './resources.ts';

/** A deployed stack, on AWS or on this machine, with clients and resources for the commands. */
export interface Deployment {
  readonly name: string;
  readonly dynamo: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly lambda: LambdaClient;
  readonly resources: Resources;
}

const listResources = async (stackName: string): Promise<StackResource[]> => {
  const client = new CloudFormationClient({});
  const resources: StackResource[] = [];
  try {
    // Calls ListStackResources instead of DescribeStackResources, because DescribeStackResources returns at most 100
    // resources.
    for await (const { StackResourceSummaries = [] } of paginateListStackResources(
      { client },
      { StackName: stackName },
    )) {
      for (const { LogicalResourceId = '', ResourceType = '', PhysicalResourceId = '' } of StackResourceSummaries) {
        resources.push({ logicalId: LogicalResourceId, type: ResourceType, physicalId: PhysicalResourceId });
      }
    }
  } catch (cause) {
    if (!/does not exist/.test((cause as Error).message)) throw cause;
    throw new Error(`The stack ${stackName} does not exist in this account and region: check --stage and AWS_REGION.`, {
      cause,
    });
  }
  return resources;
};

/**
 * Connects to the stack `passpost-<stage>` with the credentials and the region of the AWS CLI. Throws if the stack does
 * not exist.
 */
export const awsDeployment = async (stage: string): Promise<Deployment> => {
  const name = `passpost-${stage}`;
  return {
    name,
    dynamo: new DynamoDBClient({}),
    sqs: new SQSClient({}),
    lambda: new LambdaClient({}),
    resources: resourcesIn(name, await listResources(name)),
  };
};

/** Connects to the local stack whose data is in this folder. Throws if no stack runs on the folder. */
export const localDeployment = (folder: string): Deployment => {
  const file = readStackFile(folder);
  if (!file) throw new Error(`No local stack runs with the folder ${folder}: start one with npm start.`);
  const clientOptions = (endpoint: string) => ({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return {
    name: 'the local stack',
    dynamo: new DynamoDBClient(clientOptions(file.endpoints.dynamodb)),
    sqs: new SQSClient(clientOptions(file.endpoints.sqs)),
    lambda: new LambdaClient(clientOptions(file.endpoints.lambda)),
    resources: resourcesIn(file.stackName, file.resources),
  };
};
