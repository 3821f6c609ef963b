import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { env } from '../../lambdas/runtime/env.ts';
import { serviceVariable } from '../../lambdas/runtime/metric-names.ts';
import { frontDoorSettings } from '../helpers/settings.ts';
import { functionNames, named, resourcesOfType, statementsOf, synthesise } from '../helpers/synthesised.ts';

describe('the Lambda functions of the stack', () => {
  // All functions: front-door exists only with a web ACL.
  const template = synthesise({ ...frontDoorSettings, tracing: 'on' });
  const functions = resourcesOfType(template, 'AWS::Lambda::Function').map(({ Properties }) => Properties);

  test('there is exactly one function for each file of lambdas/functions/', () => {
    const entries = readdirSync(new URL('../../lambdas/functions', import.meta.url)).filter((name) =>
      name.endsWith('.ts'),
    );

    expect(functionNames(template).toSorted()).toEqual(entries.map((name) => name.replace('.ts', '')).toSorted());
  });

  test('with tracing=on, every function runs Node 24 on arm64 with 512 MB, is traced and has a log group', () => {
    for (const properties of functions) {
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        MemorySize: 512,
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogGroup: expect.anything() },
      });
    }
  });

  test.each(functionNames(template))(
    'the function %s gets exactly the variables that its readConfig call lists, and those of Node and Powertools',
    (name) => {
      const source = readFileSync(new URL(`../../lambdas/functions/${name}.ts`, import.meta.url), 'utf8');
      const [, list = ''] = /readConfig\(\[([^\]]*)\]/.exec(source) ?? [];
      // Without settings, only a local stack sets scheduleSpeed and egressAllow.
      const read = [...list.matchAll(/'(\w+)'/g)].filter(([, key]) => key !== 'scheduleSpeed' && key !== 'egressAllow');

      const { Environment } = named(template, 'AWS::Lambda::Function', name).Properties;

      const variables = Object.keys((Environment as { Variables: object } | undefined)?.Variables ?? {});
      // Node and Powertools read these variables themselves.
      const platformVariables = ['UV_THREADPOOL_SIZE', serviceVariable];
      expect(variables.filter((name) => !platformVariables.includes(name)).toSorted()).toEqual(
        read.map(([, key]) => env[key as keyof typeof env]).toSorted(),
      );
    },
  );

  test.each([
    ['the stage test', {}],
    ['production with tracing=off', { stage: 'production', tracing: 'off' }],
  ])('the template of %s contains neither TracingConfig nor an xray permission', (_, settings) => {
    expect(JSON.stringify(synthesise(settings).toJSON())).not.toMatch(/TracingConfig|xray/);
  });

  test.each([
    ['production', { stage: 'production' }],
    ['the stage test with tracing=on', { tracing: 'on' }],
  ])('every function in the template of %s is traced', (_, settings) => {
    const modes = resourcesOfType(synthesise(settings), 'AWS::Lambda::Function').map(
      ({ Properties }) => Properties.TracingConfig,
    );

    expect(new Set(modes.map((mode) => JSON.stringify(mode)))).toEqual(new Set(['{"Mode":"Active"}']));
  });

  test('every log group retains logs for 7 days in the stage test and 90 days in production', () => {
    const days = (stage: string) =>
      new Set(
        resourcesOfType(synthesise({ stage }), 'AWS::Logs::LogGroup').map(
          ({ Properties }) => Properties.RetentionInDays,
        ),
      );

    expect([...days('test')]).toEqual([7]);
    expect([...days('production')]).toEqual([90]);
  });

  test('with tracing=on, each role has a wildcard only in its statement for xray:PutTelemetryRecords and xray:PutTraceSegments', () => {
    for (const name of functionNames(template)) {
      const wildcards = statementsOf(template, name).filter(({ Action, Resource }) =>
        [Action, Resource].flat().some((value) => typeof value === 'string' && value.includes('*')),
      );

      expect(wildcards.flatMap(({ Action }) => Action)).toEqual(['xray:PutTelemetryRecords', 'xray:PutTraceSegments']);
    }
  });

  test('every function has its own role, and no role has a managed policy', () => {
    const roles = new Set(functions.map((properties) => JSON.stringify(properties.Role)));
    const managed = resourcesOfType(template, 'AWS::IAM::Role').filter(
      ({ Properties }) => 'ManagedPolicyArns' in Properties,
    );

    expect(roles.size).toBe(functions.length);
    expect(managed).toEqual([]);
  });
});
