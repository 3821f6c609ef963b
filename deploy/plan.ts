import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** The requirements of the synthesised stack on the AWS account that it is deployed to. */
export interface Plan {
  readonly stackName: string;
  /** Whether the stack will have termination protection, as in production. */
  readonly isProtected: boolean;
  /** The value of the setting `engineConcurrency`; `null` if it is not set. */
  readonly engineConcurrency: number | null;
  readonly bootstrap: { readonly parameter: string; readonly version: number };
  /**
   * Concurrent invocations that the stack needs for each event source (queue, stream, schedules, API call): to start
   * working, and under full load.
   */
  readonly concurrency: Readonly<Record<string, { readonly start: number; readonly load: number }>>;
  /** ARNs of keys and certificates that must be in the region of the stack, each with the setting that names it. */
  readonly regional: readonly { readonly setting: string; readonly arn: string }[];
  /** Logical ids of the stack's VPCs and Elastic IP addresses, which have low quotas. */
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
  terminationProtection: z.boolean().default(false),
  requiresBootstrapStackVersion: z.number(),
  bootstrapStackVersionSsmParameter: z.string(),
});
const templateSchema = z.object({
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })).default({}),
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

/**
 * The number of concurrent invocations to plan for a queue whose event source mapping sets no maximum. Lambda starts
 * with five invocations and may add more later. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const UNBOUNDED_START = 5;
/**
 * The number of stream shards of a new on-demand table: the table has four partitions, each with one shard (see
 * docs/scaling.md).
 */
const STREAM_SHARDS = 4;

const ofType = (resources: Resources, type: string) =>
  Object.entries(resources).filter(([, { Type }]) => Type === type);

const concurrencyOf = (resources: Resources): Plan['concurrency'] => {
  const mappings = ofType(resources, 'AWS::Lambda::EventSourceMapping').map(([, { Metadata, Properties }]) => {
    const name = Metadata['aws:cdk:path'].split('/').at(-2)?.replace('-mapping', '') ?? '';
    const { StartingPosition, ParallelizationFactor, ScalingConfig } = mappingSchema.parse(Properties);
    // A stream has at most `ParallelizationFactor` concurrent invocations for each shard. `start` is 1, because one
    // invocation is enough while the table has few changes.
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
  // Finds only API Gateway's certificate. CloudFront's must be in us-east-1, whatever the region of the stack.
  const certificates = arnsIn('AWS::ApiGatewayV2::DomainName', /"CertificateArn":"([^"]+)"/g);
  return Object.entries({
    kmsKeyArn: keys,
    'formerKmsKeyArn or nextKmsKeyArn': otherKeys,
    certificateArn: certificates,
  }).flatMap(([setting, arns]) => [...arns].map((arn) => ({ setting, arn })));
};

/**
 * Returns the requirements of the stack on its AWS account, for example its concurrent invocations. Reads them from a
 * cloud assembly, the output folder of `cdk synth`.
 */
export const readPlan = (assembly: string): Plan => {
  const { artifacts } = manifestSchema.parse(JSON.parse(readFileSync(join(assembly, 'manifest.json'), 'utf8')));
  const artifact = Object.values(artifacts).find(({ type }) => type === 'aws:cloudformation:stack');
  const stack = stackSchema.parse(artifact?.properties);
  const { Resources, Outputs } = templateSchema.parse(
    JSON.parse(readFileSync(join(assembly, stack.templateFile), 'utf8')),
  );
  const idsOf = (type: string) => ofType(Resources, type).map(([id]) => id);
  return {
    stackName: stack.stackName,
    isProtected: stack.terminationProtection,
    engineConcurrency: Outputs.EngineConcurrency ? Number(Outputs.EngineConcurrency.Value) : null,
    bootstrap: { parameter: stack.bootstrapStackVersionSsmParameter, version: stack.requiresBootstrapStackVersion },
    concurrency: concurrencyOf(Resources),
    regional: regionalOf(Resources),
    network: { 'AWS::EC2::VPC': idsOf('AWS::EC2::VPC'), 'AWS::EC2::EIP': idsOf('AWS::EC2::EIP') },
  };
};
