import { setTimeout as sleep } from 'node:timers/promises';
import { GetEventSourceMappingCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import type { Deployment } from './deployment.ts';

type Lane = 'deliveries' | 'slow';

const STEADY = ['Enabled', 'Disabled'];
const LONGEST_WAIT_MS = 180_000;

const stateOf = async ({ lambda }: Deployment, uuid: string): Promise<string> => {
  const { State = 'unknown' } = await lambda.send(new GetEventSourceMappingCommand({ UUID: uuid }));
  return State;
};

/** While a mapping is changing, Lambda refuses another change. */
const steadyState = async (deployment: Deployment, uuid: string): Promise<string> => {
  for (const endMs = Date.now() + LONGEST_WAIT_MS; ; await sleep(1000)) {
    const state = await stateOf(deployment, uuid);
    if (STEADY.includes(state)) return state;
    if (Date.now() > endMs)
      throw new Error(`A mapping of the deliver function stays ${state}: look again with status.`);
  }
};

const switchLane = async (deployment: Deployment, uuid: string, isEnabled: boolean): Promise<void> => {
  const wanted = isEnabled ? 'Enabled' : 'Disabled';
  if ((await steadyState(deployment, uuid)) === wanted) return;
  await deployment.lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled: isEnabled }));
  const state = await steadyState(deployment, uuid);
  if (state !== wanted) throw new Error(`A mapping of the deliver function is ${state}, not ${wanted}: try again.`);
};

/** Both lanes into the deliver function, enabled or disabled. */
export const switchLanes = async (deployment: Deployment, isEnabled: boolean): Promise<void> => {
  const { deliveriesMapping, slowMapping } = deployment.resources;
  await Promise.all([deliveriesMapping, slowMapping].map((uuid) => switchLane(deployment, uuid, isEnabled)));
};

/** `running`, `paused`, or what Lambda says while it is changing. */
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
