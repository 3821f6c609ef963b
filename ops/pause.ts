import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from './command.ts';
import type { Deployment } from './deployment.ts';
import { switchLanes } from './lanes.ts';
import { depthOf } from './queue-messages.ts';

/** What is in flight is recorded within the deliver function's 45 s. */
const DRAIN_MS = 60_000;

const waiting = async ({ sqs, resources }: Deployment) => {
  const depths = await Promise.all([resources.deliveries, resources.slow].map((url) => depthOf(sqs, url)));
  const sum = (name: 'waiting' | 'in_flight' | 'delayed') => depths.reduce((total, depth) => total + depth[name], 0);
  return { waiting: sum('waiting'), in_flight: sum('in_flight'), delayed: sum('delayed') };
};

const drained = async (deployment: Deployment) => {
  for (const endMs = Date.now() + DRAIN_MS; ; await sleep(1000)) {
    const depth = await waiting(deployment);
    if (depth.in_flight === 0 || Date.now() > endMs) return depth;
  }
};

export const pause: Command = {
  summary: 'stop deliveries for maintenance; nothing is lost',
  details:
    'Disables both mappings of the deliver function and waits up to a minute for what is in flight. The API, the stream and\nthe tick go on: what is to be delivered waits in the queues, which keep it for 14 days. What waits for half an hour\nsets off the alarms deliveries-waiting and slow-waiting, so that no pause is forgotten.',
  options: {},
  prepare: () => async (deployment) => {
    await switchLanes(deployment, false);
    const data = { deliveries: 'paused', ...(await drained(deployment)) };
    const lines = [
      'Deliveries are paused.',
      `Waiting: ${data.waiting}, delayed: ${data.delayed}, in flight: ${data.in_flight}.`,
      ...(data.in_flight > 0 ? ['What is in flight is not finished, or comes back after its visibility timeout.'] : []),
      'Once something has waited for half an hour, the alarms deliveries-waiting and slow-waiting go off.',
      'Resume within 14 days: queues keep messages no longer.',
    ];
    return { data, lines };
  },
};

export const resume: Command = {
  summary: 'let deliveries go on after a pause',
  details: 'Enables both mappings of the deliver function again.',
  options: {},
  prepare: () => async (deployment) => {
    const before = await waiting(deployment);
    await switchLanes(deployment, true);
    const data = { deliveries: 'running', ...before };
    return { data, lines: [`Deliveries go on: ${before.waiting} waited, ${before.delayed} are delayed.`] };
  },
};
