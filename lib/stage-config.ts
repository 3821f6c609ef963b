import type { Node } from 'constructs';
import { defaults } from './defaults.ts';
import { deliveriesLane, engineShares, MIN_ENGINE_CONCURRENCY } from './engine-shares.ts';
import { readSettings, type Settings } from './settings.ts';

export type Stage = 'test' | 'production';

/** The operator's own host name for the API. The settings name every part, because a synth looks nothing up in AWS. */
export interface DomainConfig {
  readonly domainName: string;
  readonly certificateArn: string;
  /** Route 53 zone for the DNS record; `null` if the operator creates the record. */
  readonly zone: { readonly hostedZoneId: string; readonly zoneName: string } | null;
}

/**
 * The settings of CloudFront in front of the API. A web ACL needs CloudFront, because it cannot be attached to an HTTP
 * API.
 */
export interface FrontDoorConfig {
  readonly webAclArn: string;
  /** Version of the secret that CloudFront sends to the API; `null` for the version that was current when CloudFront was created. */
  readonly secretVersion: string | null;
}

export interface StageConfig {
  readonly stage: Stage;
  /** Whether tables, secrets and logs outlive the stack, and the tables have deletion protection. */
  readonly retainsData: boolean;
  /** Days for which deliveries, attempts and events can be read. */
  readonly retentionDays: number;
  readonly logRetentionDays: number;
  /** Hours without a success after which a failing webhook is disabled, 1–720. A webhook can set its own value. */
  readonly autoDisableAfterHours: number;
  readonly alarmEmail: string | null;
  /** Requests a second that API Gateway passes on, over all callers. It refuses the others with 429. */
  readonly apiRateLimit: number;
  /** Requests that API Gateway passes on at the same time before `apiRateLimit` holds. */
  readonly apiBurstLimit: number;
  /** Address of the runbook that alarms link to. */
  readonly runbookUrl: string;
  readonly domain: DomainConfig | null;
  readonly frontDoor: FrontDoorConfig | null;
  /** The customer's own key for tables, queues, secrets, the topic and the logs; `null` for AWS's keys. */
  readonly kmsKeyArn: string | null;
  /**
   * The former key of the customer, which older data is still encrypted with; `null` for none. Functions may use it.
   */
  readonly formerKmsKeyArn: string | null;
  /** The key that a later deployment will encrypt with; `null` for none. Functions may use it already. */
  readonly nextKmsKeyArn: string | null;
  /**
   * Maximum of concurrent invocations of the deliver function for the queue deliveries, 2–1,000; `null` for AWS's own
   * maximum (1,250). With `engineConcurrency` it is never `null`.
   */
  readonly deliverConcurrency: number | null;
  /**
   * Maximum of concurrent invocations of the deliver function for the slow lane, 2–1,000. It limits the cost of very
   * slow receivers.
   */
  readonly slowConcurrency: number;
  /**
   * Concurrent invocations that Lambda reserves for the functions that deliver, together (lib/engine-shares.ts says how
   * many for each), so that a flood of API calls cannot take them; 0 or `null` for none.
   */
  readonly engineConcurrency: number | null;
  /** How many fixed addresses webhooks are sent from, each with a zone and a NAT gateway; `null` for changing addresses of AWS. */
  readonly egressAddresses: number | null;
  /** Whether X-Ray samples requests. AWS charges for each trace. */
  readonly isTraced: boolean;
  /** Lets webhooks point at loopback. Only a test deployment into an emulator sets it. */
  readonly egressAllow: 'loopback' | null;
}

const common = {
  ...defaults,
  alarmEmail: null,
  // Half of Lambda's default of 1,000 simultaneous invocations, so that a flood of calls leaves the other half to
  // deliveries, ticks and the stream.
  apiBurstLimit: 500,
  apiRateLimit: 1000,
  // The path of the runbook in the repository. An operator who publishes the runbook elsewhere sets its address.
  runbookUrl: 'docs/runbook.md',
  domain: null,
  frontDoor: null,
  kmsKeyArn: null,
  formerKmsKeyArn: null,
  nextKmsKeyArn: null,
  deliverConcurrency: null,
  slowConcurrency: 10,
  engineConcurrency: null,
  egressAddresses: null,
  egressAllow: null,
} as const;

export const stages: Readonly<Record<Stage, StageConfig>> = {
  test: { ...common, stage: 'test', retainsData: false, logRetentionDays: 7, isTraced: false },
  production: { ...common, stage: 'production', retainsData: true, logRetentionDays: 90, isTraced: true },
};

/**
 * Days that CloudWatch Logs accepts as the retention of a log group.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
 */
const logRetentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const isStage = (name: string): name is Stage => Object.hasOwn(stages, name);

/**
 * Returns the config of the stage that `-c stage=` names (`test` by default), with the values of other settings. Throws
 * on a wrong setting.
 */
export const chooseStage = (node: Node): StageConfig => {
  const settings = readSettings(node);
  const name = settings.text('stage') ?? 'test';
  if (!isStage(name)) throw new Error(`-c stage=${name}: the stages are ${Object.keys(stages).join(' and ')}`);
  const stage = stages[name];
  const frontDoor = frontDoorFrom(settings);
  const tracing = settings.matching('tracing', /^(on|off)$/, 'on or off');
  const egressAllow = settings.text('egressAllow');
  if (egressAllow !== null && egressAllow !== 'loopback') throw new Error('-c egressAllow= takes only loopback');
  if (egressAllow !== null && stage.retainsData)
    throw new Error(`-c egressAllow= is not allowed for the stage ${name}`);
  return {
    ...stage,
    retentionDays: settings.number('retentionDays', 1, 365) ?? stage.retentionDays,
    logRetentionDays: settings.oneOf('logRetentionDays', logRetentions) ?? stage.logRetentionDays,
    autoDisableAfterHours: settings.number('autoDisableAfterHours', 1, 720) ?? stage.autoDisableAfterHours,
    runbookUrl:
      settings.matching('runbookUrl', /^https:\/\/[^\s#]{1,500}$/, 'an https address without #') ?? stage.runbookUrl,
    alarmEmail: settings.matching('alarmEmail', /^[^@\s]+@[^@\s]+\.[^@\s]+$/, 'an e-mail address'),
    apiRateLimit: settings.number('apiRateLimit', 1, 100_000) ?? stage.apiRateLimit,
    apiBurstLimit: settings.number('apiBurstLimit', 1, 100_000) ?? stage.apiBurstLimit,
    ...keysFrom(settings),
    ...concurrencyFrom(settings, stage),
    // Allows at most two fixed egress addresses, one in each availability zone. Without a named account and region, the
    // CDK assumes two availability zones.
    egressAddresses: settings.number('egressAddresses', 1, 2) ?? stage.egressAddresses,
    isTraced: tracing === null ? stage.isTraced : tracing === 'on',
    domain: domainFrom(settings, frontDoor),
    frontDoor,
    egressAllow,
  };
};

/** Throws if the reserved concurrency of deliver has no room for the maximums of both lanes. */
const concurrencyFrom = (settings: Settings, stage: StageConfig) => {
  const deliverConcurrency = settings.number('deliverConcurrency', 2, 1000) ?? stage.deliverConcurrency;
  const slowConcurrency = settings.number('slowConcurrency', 2, 1000) ?? stage.slowConcurrency;
  const engineConcurrency = settings.number('engineConcurrency', 0, 10_000) ?? stage.engineConcurrency;
  if (!engineConcurrency) return { deliverConcurrency, slowConcurrency, engineConcurrency };
  if (engineConcurrency < MIN_ENGINE_CONCURRENCY) {
    throw new Error(`-c engineConcurrency=${engineConcurrency}: expected 0 or at least ${MIN_ENGINE_CONCURRENCY}`);
  }
  const lane = deliveriesLane(engineConcurrency, slowConcurrency);
  if (lane < (deliverConcurrency ?? 2)) {
    throw new Error(
      `-c engineConcurrency=${engineConcurrency}: reserves ${engineShares(engineConcurrency).deliver} invocations for deliver, which is fewer than slowConcurrency ${slowConcurrency} and deliverConcurrency ${deliverConcurrency ?? 2} together`,
    );
  }
  return { deliverConcurrency: deliverConcurrency ?? lane, slowConcurrency, engineConcurrency };
};

const keysFrom = (settings: Settings) => {
  const key = (name: 'kmsKeyArn' | 'formerKmsKeyArn' | 'nextKmsKeyArn') =>
    settings.matching(
      name,
      // Requires the ARN of a key, because an IAM statement with the ARN of an alias as its resource allows nothing.
      /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/([0-9a-f-]{36}|mrk-[0-9a-f]{32})$/,
      'the ARN of a key, not of an alias',
    );
  const kmsKeyArn = key('kmsKeyArn');
  const others = { formerKmsKeyArn: key('formerKmsKeyArn'), nextKmsKeyArn: key('nextKmsKeyArn') };
  const duplicate = Object.entries(others).find(([, arn]) => arn !== null && arn === kmsKeyArn);
  if (duplicate) throw new Error(`-c ${duplicate[0]}=${duplicate[1]}: is the same as kmsKeyArn`);
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
  const hostedZoneId = settings.matching('hostedZoneId', /^[A-Z0-9]{1,32}$/, "a zone's id, Z…");
  const zoneName = settings.matching('zoneName', hostName, 'a host name in lower case');
  if (domainName === null) {
    const orphan = Object.entries({ certificateArn, hostedZoneId, zoneName }).find(([, value]) => value !== null);
    if (orphan) throw new Error(`-c ${orphan[0]}= needs -c domainName=`);
    return null;
  }
  if (certificateArn === null) throw new Error('-c domainName= needs -c certificateArn=');
  if (frontDoor && certificateArn.split(':')[3] !== 'us-east-1') {
    throw new Error(
      `-c certificateArn=${certificateArn}: with webAclArn CloudFront uses the certificate, so it must be in us-east-1`,
    );
  }
  if ((hostedZoneId === null) !== (zoneName === null))
    throw new Error('-c hostedZoneId= and -c zoneName= need each other');
  const zone = hostedZoneId !== null && zoneName !== null ? { hostedZoneId, zoneName } : null;
  if (zone && domainName !== zone.zoneName && !domainName.endsWith(`.${zone.zoneName}`)) {
    throw new Error(`-c domainName=${domainName} is not in the zone ${zone.zoneName}`);
  }
  return { domainName, certificateArn, zone };
};

const frontDoorFrom = (settings: Settings): FrontDoorConfig | null => {
  const webAclArn = settings.matching(
    'webAclArn',
    // Requires the scope CLOUDFRONT, because CloudFront takes only a web ACL with this scope.
    /^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/[\w-]{1,128}\/[0-9a-f-]{36}$/,
    'the ARN of a web ACL with the scope CLOUDFRONT, arn:aws:wafv2:us-east-1:<account>:global/webacl/<name>/<id>',
  );
  const secretVersion = settings.matching('frontDoorSecretVersion', /^[\w-]{32,64}$/, "the id of a secret's version");
  if (webAclArn !== null) return { webAclArn, secretVersion };
  if (secretVersion !== null) throw new Error('-c frontDoorSecretVersion= needs -c webAclArn=');
  return null;
};
