import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** What a deployment asks of the account, read off the stack as it was synthesised. */
export interface Plan {
  readonly bootstrap: { readonly parameter: string; readonly version: number };
  /** Invocations at once that each source of work needs, by name. */
  readonly concurrency: Readonly<Record<string, number>>;
}

const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.object({ type: z.string(), properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});
const stackSchema = z.object({
  templateFile: z.string(),
  requiresBootstrapStackVersion: z.number(),
  bootstrapStackVersionSsmParameter: z.string(),
});
const mappingSchema = z.object({
  Type: z.literal('AWS::Lambda::EventSourceMapping'),
  Metadata: z.object({ 'aws:cdk:path': z.string() }),
  Properties: z.object({
    StartingPosition: z.string().optional(),
    ParallelizationFactor: z.number().default(1),
    ScalingConfig: z.object({ MaximumConcurrency: z.number() }).optional(),
  }),
});

/** Without a bound Lambda begins a queue's mapping with five invocations and adds more as the account allows. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const UNBOUNDED_START = 5;
/** The minute's tick, and one request. */
const TICK_AND_API = 2;

export const readPlan = (assembly: string): Plan => {
  const { artifacts } = manifestSchema.parse(JSON.parse(readFileSync(join(assembly, 'manifest.json'), 'utf8')));
  const artifact = Object.values(artifacts).find(({ type }) => type === 'aws:cloudformation:stack');
  const stack = stackSchema.parse(artifact?.properties);
  const { Resources } = JSON.parse(readFileSync(join(assembly, stack.templateFile), 'utf8'));
  const mappings = Object.values(Resources).flatMap((resource) => mappingSchema.safeParse(resource).data ?? []);
  const concurrency = mappings.map(({ Metadata, Properties }) => {
    const name = Metadata['aws:cdk:path'].split('/').at(-2)?.replace('-mapping', '') ?? '';
    const { StartingPosition, ParallelizationFactor, ScalingConfig } = Properties;
    // A stream has a shard at least.
    if (StartingPosition !== undefined) return [name, ParallelizationFactor] as const;
    return [name, ScalingConfig?.MaximumConcurrency ?? UNBOUNDED_START] as const;
  });
  return {
    bootstrap: { parameter: stack.bootstrapStackVersionSsmParameter, version: stack.requiresBootstrapStackVersion },
    concurrency: { ...Object.fromEntries(concurrency), 'tick and API': TICK_AND_API },
  };
};
