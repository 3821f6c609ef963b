import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { App } from 'aws-cdk-lib/core';
import { PassPostStack } from '../../lib/passpost-stack.ts';
import { chooseStage } from '../../lib/stage-config.ts';
import type { Assembly } from '../../local/template/template.ts';

const flags = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8')).context;

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly Metadata: { readonly 'aws:cdk:path': string };
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The template that `cdk synth -c name=value …` writes, without the functions' code. */
export const synthesise = (context: Readonly<Record<string, string>> = {}): Template => {
  const settings = { 'aws:cdk:bundling-stacks': [], 'aws:cdk:enable-path-metadata': true };
  const outdir = mkdtempSync(join(tmpdir(), 'passpost-synth-'));
  const app = new App({
    outdir,
    context: { ...flags, ...settings, ...context },
    // The check takes two seconds, and `npm run synth` runs it once.
    builtinCloudFormationValidation: false,
    treeMetadata: false,
  });
  try {
    return Template.fromStack(new PassPostStack(app, 'PassPost', { stage: chooseStage(app.node) }));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
};

export const resourcesOf = (template: Template): Readonly<Record<string, Resource>> => template.toJSON().Resources;

export const resourcesOfType = (template: Template, type: string): readonly Resource[] =>
  Object.values(resourcesOf(template)).filter(({ Type }) => Type === type);

/** Name of the construct that created a resource: `deliver`, `tasks-api`, `dead-letters` … */
export const nameOf = ({ Metadata }: Resource): string =>
  Metadata['aws:cdk:path'].replace(/(\/DefaultPolicy|\/Policy)?\/(Resource|Default)$/, '').replace(/.*\//, '');

/** The resource of this type whose construct has this name. Throws unless there is exactly one. */
export const named = (template: Template, type: string, name: string): Resource => {
  const matches = resourcesOfType(template, type).filter((resource) => nameOf(resource) === name);
  if (matches.length !== 1 || !matches[0]) throw new Error(`${matches.length} resources of ${type} are called ${name}`);
  return matches[0];
};

export const functionNames = (template: Template): readonly string[] =>
  resourcesOfType(template, 'AWS::Lambda::Function').map(nameOf);

/** The template in the form that the local stack reads. */
export const assemblyOf = (template: Template): Assembly => ({
  stackName: 'passpost-test',
  resources: new Map(
    Object.entries(resourcesOf(template)).map(([logicalId, resource]) => [
      logicalId,
      { logicalId, type: resource.Type, properties: resource.Properties ?? {}, name: nameOf(resource) },
    ]),
  ),
  outputs: {},
  bundle: () => '',
});

/** All statements of a function's role, from all of its policies. */
export const statementsOf = (template: Template, functionName: string): readonly Statement[] => {
  const role = named(template, 'AWS::IAM::Role', `${functionName}-role`);
  const id = Object.entries(resourcesOf(template)).find(([, resource]) => resource === role)?.[0];
  return resourcesOfType(template, 'AWS::IAM::Policy')
    .filter(({ Properties }) => (Properties.Roles as { Ref: string }[]).some(({ Ref }) => Ref === id))
    .flatMap(({ Properties }) => (Properties.PolicyDocument as { Statement: readonly Statement[] }).Statement);
};

/** The actions that a function's role allows. */
export const actionsOf = (template: Template, functionName: string): readonly string[] =>
  statementsOf(template, functionName)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action }) => Action);
