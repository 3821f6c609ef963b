import type { Node } from 'constructs';

export type Stage = 'test' | 'production';

/** Where the API answers besides the host name that AWS gives it. Nothing is looked up: all of it is said. */
export interface DomainConfig {
  readonly domainName: string;
  readonly certificateArn: string;
  /** Without a zone the DNS record is made by hand. */
  readonly zone: { readonly hostedZoneId: string; readonly zoneName: string } | null;
}

export interface StageConfig {
  readonly stage: Stage;
  /** Tables and keys outlive the stack, and refuse to be deleted. */
  readonly isKept: boolean;
  /** How long deliveries, attempts and events can be read. */
  readonly retentionDays: number;
  readonly logRetentionDays: number;
  /** A webhook that fails for so long without a success is disabled, 1–720, unless it says otherwise itself. */
  readonly autoDisableAfterHours: number;
  readonly alarmEmail: string | null;
  readonly domain: DomainConfig | null;
  /** Most invocations of the deliver function at once, 2–1,000; `null` leaves it to AWS (1,250). */
  readonly deliverConcurrency: number | null;
  /** Lets webhooks point at loopback; only for a test deployment into an emulator. */
  readonly egressAllow: 'loopback' | null;
}

const common = {
  retentionDays: 30,
  autoDisableAfterHours: 120,
  alarmEmail: null,
  domain: null,
  deliverConcurrency: null,
  egressAllow: null,
} as const;

export const stages: Readonly<Record<Stage, StageConfig>> = {
  test: { ...common, stage: 'test', isKept: false, logRetentionDays: 7 },
  production: { ...common, stage: 'production', isKept: true, logRetentionDays: 90 },
};

const isStage = (name: string): name is Stage => Object.hasOwn(stages, name);

/** The stage that `-c stage=` names, `test` without it, with what other `-c name=value` change in it. */
export const chooseStage = (node: Node): StageConfig => {
  const text = (name: string): string | null => {
    const value: unknown = node.tryGetContext(name);
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const number = (name: string, least: number, most: number): number | null => {
    const value = text(name);
    if (value === null) return null;
    const parsed = Number(value);
    if (Number.isInteger(parsed) && parsed >= least && parsed <= most) return parsed;
    throw new Error(`-c ${name}=${value}: a whole number from ${least} to ${most} is needed`);
  };

  const name = text('stage') ?? 'test';
  if (!isStage(name)) throw new Error(`-c stage=${name}: there are ${Object.keys(stages).join(' and ')}`);
  const stage = stages[name];
  const egressAllow = text('egressAllow');
  if (egressAllow !== null && egressAllow !== 'loopback') throw new Error('-c egressAllow= takes loopback only');
  if (egressAllow !== null && stage.isKept) throw new Error(`-c egressAllow= is refused for the stage ${name}`);
  return {
    ...stage,
    retentionDays: number('retentionDays', 1, 365) ?? stage.retentionDays,
    autoDisableAfterHours: number('autoDisableAfterHours', 1, 720) ?? stage.autoDisableAfterHours,
    alarmEmail: text('alarmEmail') ?? stage.alarmEmail,
    deliverConcurrency: number('deliverConcurrency', 2, 1000) ?? stage.deliverConcurrency,
    domain: domainFrom(text) ?? stage.domain,
    egressAllow,
  };
};

const domainFrom = (text: (name: string) => string | null): DomainConfig | null => {
  const domainName = text('domainName');
  if (domainName === null) return null;
  const certificateArn = text('certificateArn');
  if (certificateArn === null) throw new Error('-c domainName= needs -c certificateArn=');
  const hostedZoneId = text('hostedZoneId');
  const zoneName = text('zoneName');
  if ((hostedZoneId === null) !== (zoneName === null)) throw new Error('-c hostedZoneId= and -c zoneName= go together');
  const zone = hostedZoneId !== null && zoneName !== null ? { hostedZoneId, zoneName } : null;
  return { domainName, certificateArn, zone };
};
