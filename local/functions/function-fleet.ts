import { availableParallelism, cpus } from 'node:os';
import { type Environment, type InvocationResult, killed } from './execution-environment.ts';

const LOOK_EVERY_MS = 250;
const GROW_EVERY_MS = 50;
const STARTING_AT_ONCE = 2;

const machine = { atMs: 0, idle: 0, total: 0, idleShare: 1 };
/** How much of all processors was left over of late, whoever used the rest. */
const idleShareOfMachine = (): number => {
  const nowMs = performance.now();
  if (nowMs - machine.atMs < LOOK_EVERY_MS) return machine.idleShare;
  const times = cpus().map((cpu) => cpu.times);
  const idle = times.reduce((sum, time) => sum + time.idle, 0);
  const total = times.reduce((sum, time) => sum + time.user + time.nice + time.sys + time.idle + time.irq, 0);
  if (total > machine.total) machine.idleShare = (idle - machine.idle) / (total - machine.total);
  Object.assign(machine, { atMs: nowMs, idle, total });
  return machine.idleShare;
};

/**
 * On AWS every environment has a processor of its own; here all share these few, and one thread more than they can carry
 * makes everything slower. One that stands still (it waits for a slow receiver) costs nothing and is not counted.
 */
const isSaturation = (utilizations: readonly number[]): boolean => {
  const processors = availableParallelism();
  const busy = utilizations.reduce((sum, share) => sum + share, 0);
  if (busy >= processors * 0.6) return true;
  return idleShareOfMachine() < 0.1 && utilizations.filter((share) => share > 0.01).length >= processors * 2;
};

/** The environments of one function. */
export class FunctionFleet {
  readonly environments = new Set<Environment>();
  readonly #starting = new Set<Environment>();
  readonly #idle: Environment[] = [];
  readonly #waiting: ((environment: Environment) => void)[] = [];
  readonly #start: (onEnd: () => void) => Environment;
  #looked = { atMs: 0, isSaturated: false };
  #timer: NodeJS.Timeout | undefined;

  constructor(start: (onEnd: () => void) => Environment) {
    this.#start = start;
  }

  /** Whether one more would only share the same processors. */
  isSaturated(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#looked.atMs >= LOOK_EVERY_MS) {
      const utilizations = [...this.environments].map((one) => (this.#starting.has(one) ? 1 : one.utilization()));
      this.#looked = { atMs: nowMs, isSaturated: isSaturation(utilizations) };
    }
    return this.#looked.isSaturated;
  }

  acquire(): Promise<Environment> {
    const environment = this.#idle.pop();
    if (environment) return Promise.resolve(environment);
    const { promise, resolve } = Promise.withResolvers<Environment>();
    this.#waiting.push(resolve);
    this.#grow();
    return promise;
  }

  release(environment: Environment): void {
    if (!this.environments.has(environment)) return;
    const next = this.#waiting.shift();
    if (next) next(environment);
    else this.#idle.push(environment);
  }

  /** A new environment, which joins the idle ones when it is ready. */
  async add(): Promise<void> {
    const environment = this.#start(() => {
      this.environments.delete(environment);
      this.#starting.delete(environment);
      const at = this.#idle.indexOf(environment);
      if (at >= 0) this.#idle.splice(at, 1);
      this.#grow();
    });
    this.environments.add(environment);
    this.#starting.add(environment);
    await environment.ready.finally(() => this.#starting.delete(environment));
    this.release(environment);
  }

  /** Ends what has been idle since then, but for one. */
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
    if (this.#waiting.length === 0) return;
    const mayStart = this.environments.size === 0 || !this.isSaturated();
    const most = Math.min(STARTING_AT_ONCE, this.#waiting.length);
    while (mayStart && this.#starting.size < most) {
      this.add().catch((error: Error) => this.#failFirst(error));
    }
    this.#timer = setTimeout(() => this.#grow(), GROW_EVERY_MS);
  }

  /** The import failed: whoever waits gets that as the invocation's error. */
  #failFirst(error: Error): void {
    const result: InvocationResult = {
      ok: false,
      error: { type: error.name, message: error.message, trace: error.stack ?? '' },
    };
    const broken = { isBusy: false, invoke: () => Promise.resolve(result) } as unknown as Environment;
    this.#waiting.shift()?.(broken);
  }
}
