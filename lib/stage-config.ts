import type { Node } from 'constructs';
import { defaults } from '../lambdas/runtime/defaults.ts';
import { readSettings, type Settings } from './settings.ts';

export type Stage = 'test' | 'production';

/** Where the API answers besides the host name that AWS gives it. Nothing is looked up: all of it is said. */
export interface DomainConfig {
  readonly domainName: string;
  readonly certificateArn: string;
  /** Without a zone the DNS record is made by hand. */
  readonly zone: { readonly hostedZoneId: string; readonly zoneName: string } | null;
}

/** CloudFront before the API, for what can only be attached to it. */
export interface FrontDoorConfig {
  readonly webAclArn: string;
  /** Which version of its secret CloudFront shows the API; `null` for the one that was current when it was made. */
  readonly secretVersion: string | null;
}

export interface StageConfig {
  readonly stage: Stage;
  /** Tables and keys outlive the stack, and refuse to be deleted. */
  readonly retainsData: boolean;
  /** How long deliveries, attempts and events can be read. */
  readonly retentionDays: number;
  readonly logRetentionDays: number;
  /** A webhook that fails for so long without a success is disabled, 1–720, unless it says otherwise itself. */
  readonly autoDisableAfterHours: number;
  readonly alarmEmail: string | null;
  /** Where alarms say their section is. */
  readonly runbookUrl: string;
  readonly domain: DomainConfig | null;
  readonly frontDoor: FrontDoorConfig | null;
  /** The customer's own key for tables, queues, secrets, the topic and the logs; `null` leaves them to AWS's keys. */
  readonly kmsKeyArn: string | null;
  /** The key before, which messages are still encrypted with, and the one to come: functions may use both. */
  readonly formerKmsKeyArn: string | null;
  readonly nextKmsKeyArn: string | null;
  /** Most invocations of the deliver function at once, 2–1,000; `null` leaves it to AWS (1,250). */
  readonly deliverConcurrency: number | null;
  /** The same for the slow lane, which has a bound in any case: it is what a tarpit may cost. */
  readonly slowConcurrency: number;
  /** Fixed addresses that webhooks come from, each with a zone and a NAT gateway; `null` for any of AWS's. */
  readonly egressAddresses: number | null;
  /** X-Ray takes a sample of the requests; it is paid by the trace. */
  readonly isTraced: boolean;
  /** Lets webhooks point at loopback; only for a test deployment into an emulator. */
  readonly egressAllow: 'loopback' | null;
}

const common = {
  ...defaults,
  alarmEmail: null,
  // In the repository: where else it can be read, only the operator knows.
  runbookUrl: 'docs/runbook.md',
  domain: null,
  frontDoor: null,
  kmsKeyArn: null,
  formerKmsKeyArn: null,
  nextKmsKeyArn: null,
  deliverConcurrency: null,
  slowConcurrency: 10,
  egressAddresses: null,
  isTraced: true,
  egressAllow: null,
} as const;

export const stages: Readonly<Record<Stage, StageConfig>> = {
  test: { ...common, stage: 'test', retainsData: false, logRetentionDays: 7 },
  production: { ...common, stage: 'production', retainsData: true, logRetentionDays: 90 },
};

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const logRetentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const isStage = (name: string): name is Stage => Object.hasOwn(stages, name);

/** The stage that `-c stage=` names, `test` without it, with what other `-c name=value` change in it. */
export const chooseStage = (node: Node): StageConfig => {
  const settings = readSettings(node);
  const name = settings.text('stage') ?? 'test';
  if (!isStage(name)) throw new Error(`-c stage=${name}: there are ${Object.keys(stages).join(' and ')}`);
  const stage = stages[name];
  const frontDoor = frontDoorFrom(settings);
  const egressAllow = settings.text('egressAllow');
  if (egressAllow !== null && egressAllow !== 'loopback') throw new Error('-c egressAllow= takes loopback only');
  if (egressAllow !== null && stage.retainsData) throw new Error(`-c egressAllow= is refused for the stage ${name}`);
  return {
    ...stage,
    retentionDays: settings.number('retentionDays', 1, 365) ?? stage.retentionDays,
    logRetentionDays: settings.oneOf('logRetentionDays', logRetentions) ?? stage.logRetentionDays,
    autoDisableAfterHours: settings.number('autoDisableAfterHours', 1, 720) ?? stage.autoDisableAfterHours,
    runbookUrl:
      settings.matching('runbookUrl', /^https:\/\/[^\s#]{1,500}$/, 'an https address without #') ?? stage.runbookUrl,
    alarmEmail: settings.matching('alarmEmail', /^[^@\s]+@[^@\s]+\.[^@\s]+$/, 'an e-mail address'),
    ...keysFrom(settings),
    deliverConcurrency: settings.number('deliverConcurrency', 2, 1000) ?? stage.deliverConcurrency,
    slowConcurrency: settings.number('slowConcurrency', 2, 1000) ?? stage.slowConcurrency,
    // The CDK knows two zones of an account that it was not told.
    egressAddresses: settings.number('egressAddresses', 1, 2) ?? stage.egressAddresses,
    isTraced: settings.matching('tracing', /^(on|off)$/, 'on or off') !== 'off',
    domain: domainFrom(settings, frontDoor),
    frontDoor,
    egressAllow,
  };
};

const keysFrom = (settings: Settings) => {
  const key = (name: 'kmsKeyArn' | 'formerKmsKeyArn' | 'nextKmsKeyArn') =>
    settings.matching(
      name,
      // Permissions name keys; through an alias they would allow nothing.
      /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/([0-9a-f-]{36}|mrk-[0-9a-f]{32})$/,
      'the ARN of a key, not of an alias,',
    );
  const kmsKeyArn = key('kmsKeyArn');
  const others = { formerKmsKeyArn: key('formerKmsKeyArn'), nextKmsKeyArn: key('nextKmsKeyArn') };
  const same = Object.entries(others).find(([, arn]) => arn !== null && arn === kmsKeyArn);
  if (same) throw new Error(`-c ${same[0]}=${same[1]}: is the same as kmsKeyArn`);
  return { kmsKeyArn, ...others };
};

const domainFrom = (settings: Settings, frontDoor: FrontDoorConfig | null): DomainConfig | null => {
  const hostName = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
  const domainName = settings.matching('domainName', hostName, 'a host name in lower case');
  const certificateArn = settings.matching(
    'certificateArn',
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
    'the ARN of a certificate in ACM',
  );
  const hostedZoneId = settings.matching('hostedZoneId', /^[A-Z0-9]{1,32}$/, "a zone's id, Z…,");
  const zoneName = settings.matching('zoneName', hostName, 'a host name in lower case');
  if (domainName === null) {
    const orphan = Object.entries({ certificateArn, hostedZoneId, zoneName }).find(([, value]) => value !== null);
    if (orphan) throw new Error(`-c ${orphan[0]}= needs -c domainName=`);
    return null;
  }
  if (certificateArn === null) throw new Error('-c domainName= needs -c certificateArn=');
  if (frontDoor && certificateArn.split(':')[3] !== 'us-east-1') {
    throw new Error(
      `-c certificateArn=${certificateArn}: with webAclArn it is CloudFront's, which takes one in us-east-1`,
    );
  }
  if ((hostedZoneId === null) !== (zoneName === null)) throw new Error('-c hostedZoneId= and -c zoneName= go together');
  const zone = hostedZoneId !== null && zoneName !== null ? { hostedZoneId, zoneName } : null;
  if (zone && domainName !== zone.zoneName && !domainName.endsWith(`.${zone.zoneName}`)) {
    throw new Error(`-c domainName=${domainName}: is not in the zone ${zone.zoneName}`);
  }
  return { domainName, certificateArn, zone };
};

const frontDoorFrom = (settings: Settings): FrontDoorConfig | null => {
  const webAclArn = settings.matching(
    'webAclArn',
    // A regional one cannot be attached to anything here.
    /^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/[\w-]{1,128}\/[0-9a-f-]{36}$/,
    'the ARN of a web ACL with the scope CLOUDFRONT, arn:aws:wafv2:us-east-1:<account>:global/webacl/<name>/<id>,',
  );
  const secretVersion = settings.matching('frontDoorSecretVersion', /^[\w-]{32,64}$/, "the id of a secret's version");
  if (webAclArn !== null) return { webAclArn, secretVersion };
  if (secretVersion !== null) throw new Error('-c frontDoorSecretVersion= needs -c webAclArn=');
  return null;
};
