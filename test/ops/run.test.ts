import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { commands } from '../../ops/index.ts';
import { run } from '../../ops/run.ts';

const NOWHERE = '/nonexistent';
const WEBHOOK = 'whk_01JDB6Q80000000000000000AB';

describe('npm run ops', () => {
  it.each(Object.keys(commands))(
    '%s --help prints the usage, the summary and the options --stage, --local and --json; the general help prints the summary too',
    async (name) => {
      const help = await run([name, '--help'], NOWHERE);

      const [usage, , summary] = help.split('\n');
      expect(usage).toBe(`Usage: npm run ops -- ${name} [options]`);
      expect(summary).toContain(`${name}: `);
      for (const flag of ['--stage NAME', '--local', '--json']) expect(help).toContain(flag);
      expect(await run([], NOWHERE)).toContain(commands[name]?.summary);
    },
  );

  it.each(Object.keys(commands))(
    'the command “%s” has exactly one row in the table of commands in docs/runbook.md',
    (name) => {
      const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
      const rows = runbook.split('\n').filter((line) => line.startsWith('| `'));

      expect(rows.filter((row) => row.split('|')[1]?.includes(`\`${name}\``))).toHaveLength(1);
    },
  );

  it.each([
    [['fly'], 'Unknown command fly: --help lists the commands.'],
    [['status', '--verbose'], "Unknown option '--verbose'."],
    [['status', 'now'], "Unexpected argument 'now'."],
    [['status', '--local', '--stage', 'test'], '--stage and --local exclude each other.'],
    [['owed', '--limit', '5'], "Unknown option '--limit'."],
    [['dead-letters', '--limit', 'many'], '--limit takes a whole number from 1 to 10000, not "many".'],
    [['failing', '--limit', '0'], '--limit takes a whole number from 1 to 1000, not "0".'],
    [['redrive'], 'Exactly one of --webhook, --delivery and --all is required.'],
    [['redrive', '--all', '--webhook', WEBHOOK], 'Exactly one of --webhook, --delivery and --all is required.'],
    [['redrive', '--webhook', 'dlv_1'], '--webhook takes a webhook\'s id, whk_…, not "dlv_1".'],
    [['redrive', '--delivery', WEBHOOK], `--delivery takes a delivery's id, dlv_…, not "${WEBHOOK}".`],
    [['rotate-keyring', '--signs-in', '60'], "Unknown option '--signs-in'."],
    [['status', '--local'], 'No local stack runs with the folder /nonexistent: start one with npm start.'],
  ])('with the arguments %j, fails with “%s”', async (args, sentence) => {
    await expect(run(args, NOWHERE)).rejects.toThrow(sentence);
  });

  it('the program bin/ops.ts, run as redrive without an option, exits with code 2 and prints one line to stderr and nothing to stdout', async () => {
    const script = fileURLToPath(new URL('../../bin/ops.ts', import.meta.url));

    const result = await promisify(execFile)(process.execPath, [script, 'redrive']).catch((error) => error);

    expect([result.code, result.stdout, result.stderr]).toEqual([
      2,
      '',
      'Exactly one of --webhook, --delivery and --all is required.\n',
    ]);
  });
});
