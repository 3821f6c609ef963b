import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { renderPermissions } from '../helpers/permissions-page.ts';
import { settingsOfEveryPermission } from '../helpers/settings.ts';
import { functionNames, synthesise } from '../helpers/synthesised.ts';

const lambdas = fileURLToPath(new URL('../../lambdas', import.meta.url));

const importsOf = (file: string): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s(?!type\b)[^'"=;]*?\bfrom\s*'(\.[^']+)'/gm)].map(
    ([, name = '']) => join(dirname(file), name),
  );

/** The file and every file of this repository that it imports, directly or not. */
const reach = (file: string, seen = new Set<string>()): ReadonlySet<string> => {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const next of importsOf(file)) reach(next, seen);
  return seen;
};

describe('docs/permissions.md', () => {
  const template = synthesise(settingsOfEveryPermission);

  test('equals the page that renderPermissions writes for a stack whose roles have every permission', async () => {
    await expect(renderPermissions(template)).toMatchFileSnapshot('../../docs/permissions.md');
  });

  // A role cannot forbid connections to the internet, so this test checks the code. key-material answers CloudFormation.
  test('only the code of deliver sends HTTP requests, only that of key-material calls fetch, and none imports net, tls, dgram or http2', () => {
    const opens = (pattern: RegExp) =>
      functionNames(template).filter((name) =>
        [...reach(join(lambdas, 'functions', `${name}.ts`))].some((file) => pattern.test(readFileSync(file, 'utf8'))),
      );

    // http-sender.ts makes the only call of `node:http`. Functions that register webhooks only look host names up.
    expect(opens(/\)\.request\(|\bhttps?\.(request|get)\(/)).toEqual(['deliver']);
    expect(opens(/\bfetch\(/)).toEqual(['key-material']);
    expect(opens(/^import (?!type\b).*'node:(net|tls|dgram|http2)'/m)).toEqual([]);
  });

  test('no file of lambdas/ imports an HTTP or WebSocket client package (undici, axios, got, node-fetch, ws)', () => {
    const imported = new Set(
      readdirSync(lambdas, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .flatMap((name) => [...readFileSync(join(lambdas, name), 'utf8').matchAll(/\bfrom '([^.'][^']*)'/g)])
        .map(([, name = '']) => name),
    );

    expect([...imported].filter((name) => /undici|axios|got$|node-fetch|ws$/.test(name))).toEqual([]);
  });
});
