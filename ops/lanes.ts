import { setTimeout as sleep } from 'node:timers/promises';
import { GetEventSourceMappingCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import type { Deployment } from './deployment.ts';

type Lane = 'deliveries' | 'slow';

const STEADY = ['Enabled', 'Disabled'];
const MAX_WAIT_MS = 180_000;

const stateOf = async ({ lambda }: Deployment, uuid: string): Promise<string> => {
  const { State = 'unknown' } = await lambda.send(new GetEventSourceMappingCommand({ UUID: uuid }));
  return State;
};

/**
 * Waits until a mapping is enabled or disabled, not in between, and returns this state: Lambda refuses a change while
 * another change runs. Throws after three minutes.
 */
const steadyState = async (deployment: Deployment, uuid: string): Promise<string> => {
  for (const endMs = Date.now() + MAX_WAIT_MS; ; await sleep(1000)) {
    const state = await stateOf(deployment, uuid);
    if (STEADY.includes(state)) return state;
    if (Date.now() > endMs)
      throw new Error(`A mapping of the deliver function is still ${state}: check it later with the command status.`);
  }
};

const switchLane = async (deployment: Deployment, uuid: string, isEnabled: boolean): Promise<void> => {
  const target = isEnabled ? 'Enabled' : 'Disabled';
  if ((await steadyState(deployment, uuid)) === target) return;
  await deployment.lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled: isEnabled }));
  const state = await steadyState(deployment, uuid);
  if (state !== target) throw new Error(`A mapping of the deliver function is ${state}, not ${target}: try again.`);
};

/** Enables or disables the event source mappings of both lanes, and waits until Lambda has changed them. */
export const switchLanes = async (deployment: Deployment, isEnabled: boolean): Promise<void> => {
  const { deliveriesMapping, slowMapping } = deployment.resources;
  await Promise.all([deliveriesMapping, slowMapping].map((uuid) => switchLane(deployment, uuid, isEnabled)));
};

/** Returns the state of both lanes: `running`, `paused`, or Lambda's own word while a mapping changes. */
export const laneStates = async (deployment: Deployment): Promise<Readonly<Record<Lane, string>>> => {
  const { deliveriesMapping, slowMapping } = deployment.resources;
  const words: Readonly<Record<string, string>> = { Enabled: 'running', Disabled: 'paused' };
  const [deliveries, slow] = await Promise.all(
    [deliveriesMapping, slowMapping].map(async (uuid) => {
      const state = await stateOf(deployment, uuid);
      return words[state] ?? state.toLowerCase();
    }),
  );
  return { deliveries: deliveries ?? '', slow: slow ?? '' };
};
