import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from './command.ts';
import type { Deployment } from './deployment.ts';
import { switchLanes } from './lanes.ts';
import { depthOf } from './queue-messages.ts';

/**
 * The longest wait for the messages in flight after a pause, in milliseconds. It exceeds the timeout of the deliver
 * function (45 s), which finishes these messages.
 */
const DRAIN_MS = 60_000;

const depthOfLanes = async ({ sqs, resources }: Deployment) => {
  const depths = await Promise.all([resources.deliveries, resources.slow].map((url) => depthOf(sqs, url)));
  const sum = (name: 'waiting' | 'in_flight' | 'delayed') => depths.reduce((total, depth) => total + depth[name], 0);
  return { waiting: sum('waiting'), in_flight: sum('in_flight'), delayed: sum('delayed') };
};

const waitUntilDrained = async (deployment: Deployment) => {
  for (const endMs = Date.now() + DRAIN_MS; ; await sleep(1000)) {
    const depth = await depthOfLanes(deployment);
    if (depth.in_flight === 0 || Date.now() > endMs) return depth;
  }
};

export const pause: Command = {
  summary: 'stop deliveries for maintenance; loses nothing',
  details:
    'Disables both mappings of the deliver function and waits up to a minute for the messages in flight. The API, the stream\nand the ticks keep running. Deliveries wait in the queues, which retain messages for 14 days. When a message has waited\nfor 30 minutes, the alarms deliveries-waiting and slow-waiting go off, so that nobody forgets a pause.',
  options: {},
  prepare: () => async (deployment) => {
    await switchLanes(deployment, false);
    const data = { deliveries: 'paused', ...(await waitUntilDrained(deployment)) };
    const lines = [
      'Deliveries are paused.',
      `Messages waiting: ${data.waiting}, delayed: ${data.delayed}, in flight: ${data.in_flight}.`,
      ...(data.in_flight > 0
        ? ['The messages in flight are still being delivered, or return to their queue after the visibility timeout.']
        : []),
      'When a message has waited for 30 minutes, the alarms deliveries-waiting and slow-waiting go off.',
      'Resume within 14 days: the queues delete older messages.',
    ];
    return { data, lines };
  },
};

export const resume: Command = {
  summary: 'start deliveries again after a pause',
  details: 'Enables both mappings of the deliver function again.',
  options: {},
  prepare: () => async (deployment) => {
    const before = await depthOfLanes(deployment);
    await switchLanes(deployment, true);
    const data = { deliveries: 'running', ...before };
    return {
      data,
      lines: [`Deliveries are running. Messages that waited: ${before.waiting}, delayed: ${before.delayed}.`],
    };
  },
};
