import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { readStackFile } from '../local/state/stack-file.ts';
import { type Resources, resourcesIn, type StackResource } from './resources.ts';

/** One deployed stack, on AWS or on this machine, as the commands know it. */
export interface Deployment {
  readonly name: string;
  readonly dynamo: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly lambda: LambdaClient;
  readonly resources: Resources;
}

const listResources = async (stackName: string): Promise<StackResource[]> => {
  const client = new CloudFormationClient({});
  const listed: StackResource[] = [];
  try {
    // Not DescribeStackResources: that one stops at a hundred.
    for await (const { StackResourceSummaries = [] } of paginateListStackResources(
      { client },
      { StackName: stackName },
    )) {
      for (const { LogicalResourceId = '', ResourceType = '', PhysicalResourceId = '' } of StackResourceSummaries) {
        listed.push({ logicalId: LogicalResourceId, type: ResourceType, physicalId: PhysicalResourceId });
      }
    }
  } catch (cause) {
    if (!/does not exist/.test((cause as Error).message)) throw cause;
    throw new Error(`There is no stack ${stackName} in this account and region: check --stage and AWS_REGION.`, {
      cause,
    });
  }
  return listed;
};

/** `passpost-<stage>`, with the credentials and the region that the AWS CLI would use. */
export const deploymentOnAws = async (stage: string): Promise<Deployment> => {
  const name = `passpost-${stage}`;
  return {
    name,
    dynamo: new DynamoDBClient({}),
    sqs: new SQSClient({}),
    lambda: new LambdaClient({}),
    resources: resourcesIn(name, await listResources(name)),
  };
};

/** The stack that runs on this folder. */
export const deploymentHere = (folder: string): Deployment => {
  const file = readStackFile(folder);
  if (!file) throw new Error(`No stack runs on ${folder}: --local needs one, which npm start gives.`);
  const at = (endpoint: string) => ({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return {
    name: 'the local stack',
    dynamo: new DynamoDBClient(at(file.endpoints.dynamodb)),
    sqs: new SQSClient(at(file.endpoints.sqs)),
    lambda: new LambdaClient(at(file.endpoints.lambda)),
    resources: resourcesIn(file.stackName, file.resources),
  };
};
