import { availableParallelism, cpus } from 'node:os';
import { type Environment, type InvocationResult, killed } from './execution-environment.ts';

const MEASURE_EVERY_MS = 100;
/** A measurement that covers a longer time than this says nothing about the load now. */
const STALE_MS = 500;
/** Milliseconds between two checks whether the fleet needs another environment. */
const GROW_EVERY_MS = 25;
/** Milliseconds that an invocation waits for an environment before the fleet starts another one. */
const WAIT_MS = 40;
/** Milliseconds after which an invocation may count as one that waits for something slow, for example a receiver. */
const SLOW_MS = 100;
/**
 * The busy share of a thread below which its environment mostly waits (`some`), and below which it does nothing but wait
 * (`all`).
 */
const WAITING = { some: 0.2, all: 0.05 };
const MAX_STARTING = 2;
/** The maximum number of environments of a function that do not mostly wait. */
const MAX_ACTIVE = availableParallelism();

const machine = { atMs: 0, idle: 0, total: 0, idleShare: 0 };
/** Returns the share of this machine's processor time, from 0 to 1, that no program used since the last measurement. */
const idleShareOfMachine = (): number => {
  const nowMs = performance.now();
  if (nowMs - machine.atMs < MEASURE_EVERY_MS) return machine.idleShare;
  const times = cpus().map((cpu) => cpu.times);
  const idle = times.reduce((sum, time) => sum + time.idle, 0);
  const total = times.reduce((sum, time) => sum + time.user + time.nice + time.sys + time.idle + time.irq, 0);
  if (total > machine.total) machine.idleShare = (idle - machine.idle) / (total - machine.total);
  Object.assign(machine, { atMs: nowMs, idle, total });
  return machine.idleShare;
};

/**
 * Returns whether the processors are saturated, so that another function thread would make all threads slower.
 * `utilizations` has the busy share of each thread; a thread that waits, for example for a slow receiver, is not busy.
 * On AWS every environment has its own processor; here all environments share this machine's.
 */
const isSaturation = (utilizations: Iterable<number>): boolean => {
  const busy = [...utilizations].reduce((sum, share) => sum + share, 0);
  return busy >= availableParallelism() * 0.4 || idleShareOfMachine() < 0.1;
};

/** An invocation that waits for an environment. */
interface Waiting {
  readonly sinceMs: number;
  readonly take: (environment: Environment) => void;
}

/** Starts, lends and ends the execution environments of one function. */
export class FunctionFleet {
  readonly environments = new Set<Environment>();
  readonly #starting = new Set<Environment>();
  readonly #idle: Environment[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #start: (onEnd: () => void) => Environment;
  #lastMeasurement = { atMs: 0, isNow: true, isSaturated: true };
  /** The busy share of each environment's thread at the last measurement. */
  #utilizations = new Map<Environment, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(start: (onEnd: () => void) => Environment) {
    this.#start = start;
  }

  /**
   * Returns whether the processors are saturated, so that another environment would not make the function faster. They
   * count as saturated until two measurements in a row find that they are not, because a load has short pauses.
   */
  isSaturated(): boolean {
    const nowMs = performance.now();
    const sinceMs = nowMs - this.#lastMeasurement.atMs;
    if (sinceMs >= MEASURE_EVERY_MS) {
      this.#utilizations = new Map(
        [...this.environments].map((environment) => [
          environment,
          this.#starting.has(environment) ? 1 : environment.utilization(),
        ]),
      );
      const isNow = isSaturation(this.#utilizations.values());
      const wasBefore = sinceMs > STALE_MS || this.#lastMeasurement.isNow;
      this.#lastMeasurement = { atMs: nowMs, isNow, isSaturated: isNow || wasBefore };
    }
    return this.#lastMeasurement.isSaturated;
  }

  /** Returns an idle environment, or waits until an environment is free. */
  acquire(): Promise<Environment> {
    const environment = this.#idle.pop();
    if (environment) return Promise.resolve(environment);
    const { promise, resolve } = Promise.withResolvers<Environment>();
    this.#waiting.push({ sinceMs: performance.now(), take: resolve });
    this.#grow();
    return promise;
  }

  /** Gives the environment to the next waiting caller, or makes it idle. */
  release(environment: Environment): void {
    if (!this.environments.has(environment)) return;
    const next = this.#waiting.shift();
    if (next) next.take(environment);
    else this.#idle.push(environment);
  }

  /** Starts an environment and releases it when it is ready. Rejects if its bundle cannot be imported. */
  async add(): Promise<void> {
    const environment = this.#start(() => {
      this.environments.delete(environment);
      this.#starting.delete(environment);
      const index = this.#idle.indexOf(environment);
      if (index >= 0) this.#idle.splice(index, 1);
      this.#grow();
    });
    this.environments.add(environment);
    this.#starting.add(environment);
    await environment.ready.finally(() => this.#starting.delete(environment));
    this.release(environment);
  }

  /** Kills the environments that have been idle since a time before `sinceMs`, but always leaves one environment. */
  reap(sinceMs: number): void {
    const old = this.#idle.filter(({ idleSinceMs }) => idleSinceMs < sinceMs);
    for (const environment of old.slice(0, this.environments.size - 1)) void environment.kill(killed);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #grow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [first] = this.#waiting;
    if (!first) return;
    const isLate = performance.now() - first.sinceMs >= WAIT_MS;
    const mayStart = this.environments.size === 0 || (isLate && this.#needsMore());
    const maxStarting = Math.min(MAX_STARTING, this.#waiting.length);
    while (mayStart && this.#starting.size < maxStarting) {
      this.add().catch((error: Error) => this.#failFirst(error));
    }
    this.#timer = setTimeout(() => this.#grow(), GROW_EVERY_MS);
  }

  /** Returns whether another environment would serve the waiting invocations earlier. */
  #needsMore(): boolean {
    const isSaturated = this.isSaturated();
    const slowSinceMs = Date.now() - SLOW_MS;
    const isBelow = (share: number, { busySinceMs }: Environment, utilization = 1): boolean =>
      busySinceMs !== null && busySinceMs < slowSinceMs && utilization < share;
    const shares = [...this.environments].map(
      (environment) => [environment, this.#utilizations.get(environment)] as const,
    );
    if (shares.every(([environment, share]) => isBelow(WAITING.all, environment, share))) return true;
    const active = shares.filter(([, share = 1]) => share >= WAITING.some);
    return active.length < MAX_ACTIVE && !isSaturated;
  }

  /** Makes the first waiting invocation fail with the error of a bundle that could not be imported. */
  #failFirst(error: Error): void {
    const result: InvocationResult = {
      ok: false,
      error: { type: error.name, message: error.message, trace: error.stack ?? '' },
    };
    const broken = { isBusy: false, invoke: () => Promise.resolve(result) } as unknown as Environment;
    this.#waiting.shift()?.take(broken);
  }
}
