import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** What a deployment asks of the account, read off the stack as it was synthesised. */
export interface Plan {
  readonly stackName: string;
  readonly bootstrap: { readonly parameter: string; readonly version: number };
  /** Invocations at once under load, by source of work, and how many of them it takes to begin. */
  readonly concurrency: Readonly<Record<string, { readonly start: number; readonly load: number }>>;
  /** What must be in the region of the stack, and by which setting it came. */
  readonly regional: readonly { readonly setting: string; readonly arn: string }[];
  /** Logical ids of what an account has few of. */
  readonly network: Readonly<Record<'AWS::EC2::VPC' | 'AWS::EC2::EIP', readonly string[]>>;
}

const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.object({ type: z.string(), properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});
const stackSchema = z.object({
  stackName: z.string(),
  templateFile: z.string(),
  requiresBootstrapStackVersion: z.number(),
  bootstrapStackVersionSsmParameter: z.string(),
});
const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Metadata: z.object({ 'aws:cdk:path': z.string().default('') }).default({ 'aws:cdk:path': '' }),
      Properties: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
});
type Resources = z.infer<typeof templateSchema>['Resources'];
const mappingSchema = z.object({
  StartingPosition: z.string().optional(),
  ParallelizationFactor: z.number().default(1),
  ScalingConfig: z.object({ MaximumConcurrency: z.number() }).optional(),
});

/** Without a bound Lambda begins a queue's mapping with five invocations and adds more as the account allows. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const UNBOUNDED_START = 5;
/** A new table on demand has four partitions, each with a shard of the stream: docs/scaling.md. */
const STREAM_SHARDS = 4;

const ofType = (resources: Resources, type: string) =>
  Object.entries(resources).filter(([, { Type }]) => Type === type);

const concurrencyOf = (resources: Resources): Plan['concurrency'] => {
  const mappings = ofType(resources, 'AWS::Lambda::EventSourceMapping').map(([, { Metadata, Properties }]) => {
    const name = Metadata['aws:cdk:path'].split('/').at(-2)?.replace('-mapping', '') ?? '';
    const { StartingPosition, ParallelizationFactor, ScalingConfig } = mappingSchema.parse(Properties);
    // Nothing bounds a stream but its shards; a trickle of changes takes one invocation after the other.
    if (StartingPosition !== undefined)
      return [name, { start: 1, load: STREAM_SHARDS * ParallelizationFactor }] as const;
    const bound = ScalingConfig?.MaximumConcurrency ?? UNBOUNDED_START;
    return [name, { start: bound, load: bound }] as const;
  });
  const ticks = ofType(resources, 'AWS::Events::Rule').length;
  return {
    ...Object.fromEntries(mappings),
    ticks: { start: ticks, load: ticks },
    'an API call': { start: 1, load: 1 },
  };
};

const regionalOf = (resources: Resources): Plan['regional'] => {
  const arnsIn = (type: string, pattern: RegExp): ReadonlySet<string> => {
    const text = JSON.stringify(ofType(resources, type).map(([, { Properties }]) => Properties));
    return new Set([...text.matchAll(pattern)].map(([, arn = '']) => arn));
  };
  const keys = arnsIn('AWS::DynamoDB::Table', /"KMSMasterKeyId":"([^"]+)"/g);
  const otherKeys = [...arnsIn('AWS::IAM::Policy', /"(arn:[\w-]+:kms:[^"]+)"/g)].filter((arn) => !keys.has(arn));
  // CloudFront's is not there: it is in us-east-1 wherever the stack is.
  const certificates = arnsIn('AWS::ApiGatewayV2::DomainName', /"CertificateArn":"([^"]+)"/g);
  return Object.entries({
    kmsKeyArn: keys,
    'formerKmsKeyArn or nextKmsKeyArn': otherKeys,
    certificateArn: certificates,
  }).flatMap(([setting, arns]) => [...arns].map((arn) => ({ setting, arn })));
};

export const readPlan = (assembly: string): Plan => {
  const { artifacts } = manifestSchema.parse(JSON.parse(readFileSync(join(assembly, 'manifest.json'), 'utf8')));
  const artifact = Object.values(artifacts).find(({ type }) => type === 'aws:cloudformation:stack');
  const stack = stackSchema.parse(artifact?.properties);
  const { Resources } = templateSchema.parse(JSON.parse(readFileSync(join(assembly, stack.templateFile), 'utf8')));
  const idsOf = (type: string) => ofType(Resources, type).map(([id]) => id);
  return {
    stackName: stack.stackName,
    bootstrap: { parameter: stack.bootstrapStackVersionSsmParameter, version: stack.requiresBootstrapStackVersion },
    concurrency: concurrencyOf(Resources),
    regional: regionalOf(Resources),
    network: { 'AWS::EC2::VPC': idsOf('AWS::EC2::VPC'), 'AWS::EC2::EIP': idsOf('AWS::EC2::EIP') },
  };
};
