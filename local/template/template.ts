import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /**
   * The id of the resource's construct (for example `deliver`) if the template has it and it is unique for the type;
   * otherwise the logical id.
   */
  readonly name: string;
}

/** A synthesised stack: the resources and outputs of its template, and its bundles. */
export interface Assembly {
  readonly stackName: string;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly outputs: Readonly<Record<string, { readonly Value: unknown }>>;
  /** Returns the folder of the asset with this object key. Throws if the stack has no asset with this key. */
  bundle(objectKey: string): string;
}

interface Artifact {
  readonly type: string;
  readonly properties?: { readonly templateFile?: string };
}

interface Template {
  readonly Resources?: Record<
    string,
    { Type: string; Properties?: Record<string, unknown>; Metadata?: Record<string, unknown> }
  >;
  readonly Outputs?: Record<string, { Value: unknown }>;
}

interface Assets {
  readonly files?: Record<string, { source: { path?: string }; destinations: Record<string, { objectKey: string }> }>;
}

const readJson = <T>(path: string): T => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (cause) {
    throw new Error(`The file ${path} cannot be read: run npm run synth.`, { cause });
  }
};

const constructId = (metadata: Record<string, unknown> | undefined): string | undefined => {
  const path = metadata?.['aws:cdk:path'];
  if (typeof path !== 'string') return undefined;
  return path
    .split('/')
    .filter((part) => part !== 'Resource' && part !== 'Default')
    .at(-1);
};

const readResources = (template: Template): Map<string, Resource> => {
  const entries = Object.entries(template.Resources ?? {});
  const uses = new Map<string, number>();
  for (const [, { Type, Metadata }] of entries) {
    const key = `${Type} ${constructId(Metadata)}`;
    uses.set(key, (uses.get(key) ?? 0) + 1);
  }
  return new Map(
    entries.map(([logicalId, { Type: type, Properties: properties = {}, Metadata }]) => {
      const id = constructId(Metadata);
      const name = id !== undefined && uses.get(`${type} ${id}`) === 1 ? id : logicalId;
      return [logicalId, { logicalId, type, properties, name }];
    }),
  );
};

/** Reads the output folder of `cdk synth`. Throws if the folder does not have exactly one stack. */
export const readAssembly = (directory: string): Assembly => {
  const manifestPath = join(directory, 'manifest.json');
  if (!existsSync(manifestPath)) throw new Error(`There is no synthesised stack in ${directory}: run npm run synth.`);
  const manifest = readJson<{ artifacts: Record<string, Artifact> }>(manifestPath);
  const stacks = Object.entries(manifest.artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  const [first, ...others] = stacks;
  if (!first || others.length > 0)
    throw new Error(`${directory} has ${stacks.length} stacks; the local stack runs exactly one.`);
  const [stackName, artifact] = first;
  const template = readJson<Template>(
    join(directory, artifact.properties?.templateFile ?? `${stackName}.template.json`),
  );
  const assets = readJson<Assets>(join(directory, `${stackName}.assets.json`));
  const paths = new Map(
    Object.values(assets.files ?? {}).flatMap(({ source, destinations }) =>
      Object.values(destinations).map(({ objectKey }) => [objectKey, source.path] as const),
    ),
  );
  return {
    stackName,
    resources: readResources(template),
    outputs: template.Outputs ?? {},
    bundle(objectKey) {
      const path = paths.get(objectKey);
      if (path === undefined) throw new Error(`The stack in ${directory} has no asset ${objectKey}.`);
      return join(directory, path);
    },
  };
};

export const resourcesOf = (assembly: Assembly, ...types: readonly string[]): Resource[] =>
  [...assembly.resources.values()].filter(({ type }) => types.includes(type));
