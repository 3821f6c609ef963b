// The stack, the checks in deploy/ and tests read these numbers, so this file imports nothing.

/** The smallest `engineConcurrency`: with it the deliver function has 12 invocations, 10 of them for the slow lane. */
export const MIN_ENGINE_CONCURRENCY = 20;

/**
 * Reserved invocations of each tick, `due` and `roll-up`. One runs at a time; the second is for a tick that EventBridge
 * sends twice.
 */
const TICK = 2;

/** The maximum that Lambda accepts as `MaximumConcurrency` of a queue's event source mapping. */
const MAX_LANE = 1_000;

/**
 * Divides `engineConcurrency` into the concurrency that Lambda reserves for each function of the engine, by the
 * function's name. A batch of the fan-out takes about as long as a batch of deliver and has ten times as many entries,
 * so deliver gets three quarters.
 */
export const engineShares = (engineConcurrency: number) => {
  const rest = engineConcurrency - 2 * TICK;
  const fanOut = Math.floor(rest / 4);
  return { deliver: rest - fanOut, 'fan-out': fanOut, due: TICK, 'roll-up': TICK } as const;
};

/**
 * Returns the invocations of deliver that the slow lane leaves to the queue deliveries. Both lanes together must not
 * exceed the reserved concurrency of deliver, because Lambda would then take messages from a queue that it cannot
 * deliver, and each try counts toward the dead letters.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
export const deliveriesLane = (engineConcurrency: number, slowConcurrency: number): number =>
  Math.min(MAX_LANE, engineShares(engineConcurrency).deliver - slowConcurrency);
