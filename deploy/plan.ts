import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** What the synthesised stack needs from the account. */
export interface Plan {
  readonly stackName: string;
  readonly bootstrap: { readonly parameter: string; readonly version: number };
  /** Concurrent invocations by event source: at the start, and under full load. */
  readonly concurrency: Readonly<Record<string, { readonly start: number; readonly load: number }>>;
  /** ARNs that must be in the region of the stack, with the setting that names them. */
  readonly regional: readonly { readonly setting: string; readonly arn: string }[];
  /** Logical ids of the resources that have a low quota. */
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

/** Without a maximum, Lambda starts a queue's mapping with five invocations and adds more if the account allows it. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const UNBOUNDED_START = 5;
/** A new on-demand table has four partitions, each with one stream shard: see docs/scaling.md. */
const STREAM_SHARDS = 4;

const ofType = (resources: Resources, type: string) =>
  Object.entries(resources).filter(([, { Type }]) => Type === type);

const concurrencyOf = (resources: Resources): Plan['concurrency'] => {
  const mappings = ofType(resources, 'AWS::Lambda::EventSourceMapping').map(([, { Metadata, Properties }]) => {
    const name = Metadata['aws:cdk:path'].split('/').at(-2)?.replace('-mapping', '') ?? '';
    const { StartingPosition, ParallelizationFactor, ScalingConfig } = mappingSchema.parse(Properties);
    // Only the number of shards limits a stream. With few changes, one invocation at a time is enough.
    if (StartingPosition !== undefined)
      return [name, { start: 1, load: STREAM_SHARDS * ParallelizationFactor }] as const;
    const maximum = ScalingConfig?.MaximumConcurrency ?? UNBOUNDED_START;
    return [name, { start: maximum, load: maximum }] as const;
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
  // Does not match CloudFront's certificate, which is in us-east-1 for every stack.
  const certificates = arnsIn('AWS::ApiGatewayV2::DomainName', /"CertificateArn":"([^"]+)"/g);
  return Object.entries({
    kmsKeyArn: keys,
    'formerKmsKeyArn or nextKmsKeyArn': otherKeys,
    certificateArn: certificates,
  }).flatMap(([setting, arns]) => [...arns].map((arn) => ({ setting, arn })));
};

/** Reads the plan from a cloud assembly, the output folder of `cdk synth`. */
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
