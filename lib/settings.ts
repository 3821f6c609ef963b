import type { Node } from 'constructs';

/** Every setting that `-c name=value` or `context` in cdk.json may set. */
const names = [
  'stage',
  'alarmEmail',
  'apiBurstLimit',
  'apiRateLimit',
  'autoDisableAfterHours',
  'certificateArn',
  'deliverConcurrency',
  'domainName',
  'egressAddresses',
  'egressAllow',
  'engineConcurrency',
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

/** Reads settings. A setting without a value is `null`; a wrong value throws an error that names the setting. */
export interface Settings {
  text(name: Name): string | null;
  number(name: Name, min: number, max: number): number | null;
  oneOf(name: Name, allowed: readonly number[]): number | null;
  /**
   * Returns the text of a setting that must match the pattern. `expected` describes a right value for the error text.
   */
  matching(name: Name, pattern: RegExp, expected: string): string | null;
}

const refuseUnknown = (node: Node): void => {
  const known: readonly string[] = names;
  // Ignores the CDK's own context keys, which contain a colon, a slash or an at sign.
  const unknown = Object.keys(node.getAllContext()).find((name) => /^[\w-]+$/.test(name) && !known.includes(name));
  if (unknown !== undefined) throw new Error(`-c ${unknown}=: unknown setting. The settings are ${names.join(', ')}`);
};

export const readSettings = (node: Node): Settings => {
  refuseUnknown(node);

  const text = (name: Name): string | null => {
    const value: unknown = node.tryGetContext(name);
    if (value === undefined || value === null || value === '') return null;
    // Accepts a number, too, because cdk.json can hold a number.
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    throw new Error(`-c ${name}=: expected a text or a number, not ${JSON.stringify(value)}`);
  };

  const number = (name: Name, min: number, max: number): number | null => {
    const value = text(name);
    if (value === null) return null;
    const parsed = Number(value);
    if (Number.isInteger(parsed) && parsed >= min && parsed <= max) return parsed;
    throw new Error(`-c ${name}=${value}: expected a whole number from ${min} to ${max}`);
  };

  const oneOf = (name: Name, allowed: readonly number[]): number | null => {
    const value = text(name);
    if (value === null) return null;
    const number = allowed.find((candidate) => String(candidate) === value);
    if (number !== undefined) return number;
    throw new Error(`-c ${name}=${value}: expected one of ${allowed.join(', ')}`);
  };

  const matching = (name: Name, pattern: RegExp, expected: string): string | null => {
    const value = text(name);
    if (value === null || pattern.test(value)) return value;
    throw new Error(`-c ${name}=${value}: expected ${expected}`);
  };

  return { text, number, oneOf, matching };
};
