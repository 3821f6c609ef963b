import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { useWholeStack } from '../helpers/whole-stack.ts';

const place = { city: 'Oslo', address: 'Street 1' };
const reference = 'PERSON-4711';
const task = { item: 'Keys', pickup: place, dropoff: place, external_reference: reference };
const result = { meta: { code: 200, message: 'OK', details: [], retryable: false }, data: {} };
const page = readFileSync(new URL('../../docs/personal-data.md', import.meta.url), 'utf8');
/** All commands of the page in their order; those of a numbered step are indented. */
const commands = [...page.matchAll(/^ *```sh\n(.*?)^ *```/gms)].map(([, code]) => code).join('\n');
const SOON = { timeout: 10_000, interval: 50 };

describe('the commands of docs/personal-data.md', () => {
  const whole = useWholeStack({});

  it('find, settle and erase the tasks, events and jobs of a person, set task_retention_days, and empty and delete the account', async () => {
    const client = await whole.newClient();
    const callOk = async (method: string, path: string, body?: object) => {
      const answer = await client.call(method, path, body);
      expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
      // biome-ignore lint/suspicious/noExplicitAny: the assertions check the shape
      return answer.body as any;
    };
    const webhook = await client.addWebhook(() => 200, { events: ['task.created'] });
    const moves = [[], ['cancel'], ['accept', 'pick-up', 'deliver']];
    const tasks: string[] = [];
    for (const path of moves) {
      const { id } = await callOk('POST', '/tasks', task);
      for (const move of path) await callOk('POST', `/tasks/${id}/${move}`);
      tasks.push(id);
    }
    const event = await callOk('POST', '/events', { type: 'task.created', data: { name: 'Nora' } });
    await client.addWebhook(() => 200, { events: ['*'], profile: 'postmen' });
    const job = await callOk('POST', '/jobs', { type: 'calculate_rates', input: { to: 'Nora' }, async: true });
    await callOk('POST', `/jobs/${job.id}/complete`, result);
    await client.listedSettled(webhook, 4);
    await vi.waitFor(async () => {
      expect((await callOk('GET', `/tasks?external_reference=${reference}`)).data).toHaveLength(3);
    }, SOON);

    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands], {
      env: {
        ...process.env,
        PASSPOST_URL: whole.stack.url,
        PASSPOST_API_KEY: client.key,
        PASSPOST_OPERATOR_KEY: whole.stack.operatorKey,
        ACCOUNT: client.accountId,
        REFERENCE: reference,
        EVENTS: event.id,
        JOBS: job.id,
      },
    });

    expect(stdout).toContain(webhook.id);
    expect(stdout).toContain('"task_retention_days":90');
    for (const id of tasks) expect(stdout).toMatch(new RegExp(`task.personal_data_erased\t${id}`));
    expect(stdout).toMatch(new RegExp(`event.payload_deleted\t${event.id}`));
    expect(stdout).toMatch(new RegExp(`job.deleted\t${job.id}`));
    expect((await client.call('GET', '/tasks')).status).toBe(401);
  });
});
