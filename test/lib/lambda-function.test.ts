import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { env } from '../../lambdas/runtime/env.ts';
import { serviceVariable } from '../../lambdas/runtime/metric-names.ts';
import { frontDoorSettings } from '../helpers/settings.ts';
import { functionNames, named, resourcesOfType, statementsOf, synthesise } from '../helpers/synthesised.ts';

describe('functions', () => {
  // All there are: one comes with a front door only.
  const template = synthesise(frontDoorSettings);
  const functions = resourcesOfType(template, 'AWS::Lambda::Function').map(({ Properties }) => Properties);

  test('are the files of lambdas/functions/, each of them', () => {
    const entries = readdirSync(new URL('../../lambdas/functions', import.meta.url)).filter((name) =>
      name.endsWith('.ts'),
    );

    expect(functionNames(template).toSorted()).toEqual(entries.map((name) => name.replace('.ts', '')).toSorted());
  });

  test('run Node 24 on arm64, traced, with a log group of their own', () => {
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

  test.each(functionNames(template))('%s is given the variables that it reads, and no others', (name) => {
    const source = readFileSync(new URL(`../../lambdas/functions/${name}.ts`, import.meta.url), 'utf8');
    const [, list = ''] = /readConfig\(\[([^\]]*)\]/.exec(source) ?? [];
    // Only a local stack sets these.
    const read = [...list.matchAll(/'(\w+)'/g)].filter(([, key]) => key !== 'scheduleSpeed' && key !== 'egressAllow');

    const { Environment } = named(template, 'AWS::Lambda::Function', name).Properties;

    const given = Object.keys((Environment as { Variables: object } | undefined)?.Variables ?? {});
    // Node and Powertools themselves read these, before any code of ours.
    const own = ['UV_THREADPOOL_SIZE', serviceVariable];
    expect(given.filter((name) => !own.includes(name)).toSorted()).toEqual(
      read.map(([, key]) => env[key as keyof typeof env]).toSorted(),
    );
  });

  test('are not traced, nor may be, where the stage says so', () => {
    const untraced = synthesise({ tracing: 'off' });

    expect(JSON.stringify(untraced.toJSON())).not.toMatch(/TracingConfig|xray/);
  });

  test('log for a limited time', () => {
    const days = (stage: string) =>
      new Set(
        resourcesOfType(synthesise({ stage }), 'AWS::Logs::LogGroup').map(
          ({ Properties }) => Properties.RetentionInDays,
        ),
      );

    expect([...days('test')]).toEqual([7]);
    expect([...days('production')]).toEqual([90]);
  });

  test('have no permission on everything but tracing', () => {
    for (const name of functionNames(template)) {
      const wide = statementsOf(template, name).filter(({ Action, Resource }) =>
        [Action, Resource].flat().some((value) => typeof value === 'string' && value.includes('*')),
      );

      expect(wide.flatMap(({ Action }) => Action)).toEqual(['xray:PutTelemetryRecords', 'xray:PutTraceSegments']);
    }
  });

  test('use roles of their own and no managed policy', () => {
    const roles = new Set(functions.map((properties) => JSON.stringify(properties.Role)));
    const managed = resourcesOfType(template, 'AWS::IAM::Role').filter(
      ({ Properties }) => 'ManagedPolicyArns' in Properties,
    );

    expect(roles.size).toBe(functions.length);
    expect(managed).toEqual([]);
  });
});
