import type { Node } from 'constructs';

/** Everything that may be said by `-c name=value` or under `context` in cdk.json. */
const names = [
  'stage',
  'alarmEmail',
  'autoDisableAfterHours',
  'certificateArn',
  'deliverConcurrency',
  'domainName',
  'egressAddresses',
  'egressAllow',
  'formerKmsKeyArn',
  'frontDoorSecretVersion',
  'hostedZoneId',
  'kmsKeyArn',
  'logRetentionDays',
  'nextKmsKeyArn',
  'retentionDays',
  'runbookUrl',
  'slowConcurrency',
  'tracing',
  'webAclArn',
  'zoneName',
] as const;
type Name = (typeof names)[number];

/** What was said, `null` where nothing was; what cannot be meant throws and names the setting. */
export interface Settings {
  text(name: Name): string | null;
  number(name: Name, least: number, most: number): number | null;
  oneOf(name: Name, allowed: readonly number[]): number | null;
  matching(name: Name, pattern: RegExp, what: string): string | null;
}

const refuseUnknown = (node: Node): void => {
  const known: readonly string[] = names;
  // The CDK's own have a colon, a slash or an at sign in them.
  const unknown = Object.keys(node.getAllContext()).find((name) => /^[\w-]+$/.test(name) && !known.includes(name));
  if (unknown !== undefined) throw new Error(`-c ${unknown}=: there is no such setting, but ${names.join(', ')}`);
};

export const readSettings = (node: Node): Settings => {
  refuseUnknown(node);

  const text = (name: Name): string | null => {
    const value: unknown = node.tryGetContext(name);
    if (value === undefined || value === null || value === '') return null;
    // In cdk.json a number is one.
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    throw new Error(`-c ${name}=: a text or a number is needed, not ${JSON.stringify(value)}`);
  };

  const number = (name: Name, least: number, most: number): number | null => {
    const value = text(name);
    if (value === null) return null;
    const parsed = Number(value);
    if (Number.isInteger(parsed) && parsed >= least && parsed <= most) return parsed;
    throw new Error(`-c ${name}=${value}: a whole number from ${least} to ${most} is needed`);
  };

  const oneOf = (name: Name, allowed: readonly number[]): number | null => {
    const value = text(name);
    if (value === null) return null;
    const found = allowed.find((candidate) => String(candidate) === value);
    if (found !== undefined) return found;
    throw new Error(`-c ${name}=${value}: one of ${allowed.join(', ')} is needed`);
  };

  const matching = (name: Name, pattern: RegExp, what: string): string | null => {
    const value = text(name);
    if (value === null || pattern.test(value)) return value;
    throw new Error(`-c ${name}=${value}: ${what} is needed`);
  };

  return { text, number, oneOf, matching };
};
