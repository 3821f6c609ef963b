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

/** The file and everything of ours that it runs. */
const reach = (file: string, seen = new Set<string>()): ReadonlySet<string> => {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const next of importsOf(file)) reach(next, seen);
  return seen;
};

describe('what may talk to what', () => {
  const template = synthesise(settingsOfEveryPermission);

  test('stands on its page as it does in the template', async () => {
    await expect(renderPermissions(template)).toMatchFileSnapshot('../../docs/permissions.md');
  });

  // Roles say what AWS allows; that nothing else opens a connection is the code's.
  test('the internet is reached by the deliver function alone, and CloudFormation by the one it asks', () => {
    const opens = (pattern: RegExp) =>
      functionNames(template).filter((name) =>
        [...reach(join(lambdas, 'functions', `${name}.ts`))].some((file) => pattern.test(readFileSync(file, 'utf8'))),
      );

    // `node:http` as it is used here: one call in http-sender.ts. (Functions that register webhooks look names up.)
    expect(opens(/\)\.request\(|\bhttps?\.(request|get)\(/)).toEqual(['deliver']);
    expect(opens(/\bfetch\(/)).toEqual(['key-material']);
    expect(opens(/^import (?!type\b).*'node:(net|tls|dgram|http2)'/m)).toEqual([]);
  });

  test('no package that opens connections but the SDK’s clients is in a bundle', () => {
    const imported = new Set(
      readdirSync(lambdas, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .flatMap((name) => [...readFileSync(join(lambdas, name), 'utf8').matchAll(/\bfrom '([^.'][^']*)'/g)])
        .map(([, name = '']) => name),
    );

    expect([...imported].filter((name) => /undici|axios|got$|node-fetch|ws$/.test(name))).toEqual([]);
  });
});
