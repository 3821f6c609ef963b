/** A resource of the stack, as CloudFormation lists it. */
export interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
}

/** What the commands work with: its type, and its construct's path in the stack. */
const wanted = {
  domainTable: ['AWS::DynamoDB::Table', 'storage/domain-table'],
  deliveryTable: ['AWS::DynamoDB::Table', 'storage/delivery-table'],
  deliveries: ['AWS::SQS::Queue', 'delivery/deliveries'],
  slow: ['AWS::SQS::Queue', 'delivery/slow'],
  deadLetters: ['AWS::SQS::Queue', 'delivery/dead-letters'],
  failures: ['AWS::SQS::Queue', 'fan-out/failures'],
  deliveriesMapping: ['AWS::Lambda::EventSourceMapping', 'delivery/deliveries-mapping'],
  slowMapping: ['AWS::Lambda::EventSourceMapping', 'delivery/slow-mapping'],
  keyMaterial: ['AWS::Lambda::Function', 'keyring/key-material'],
} as const;

export type Resources = Readonly<Record<keyof typeof wanted, string>>;

/** A logical id is the path without its punctuation, and a hash. https://docs.aws.amazon.com/cdk/v2/guide/identifiers.html */
const isAt = (path: string, logicalId: string): boolean => {
  const name = path.replaceAll(/[^A-Za-z0-9]/g, '');
  return logicalId.startsWith(name) && /^[0-9A-F]{8}$/.test(logicalId.slice(name.length));
};

/** The physical id of each; tables and functions by name, queues by URL, mappings by UUID. */
export const resourcesIn = (stackName: string, listed: readonly StackResource[]): Resources => {
  const found = Object.entries(wanted).map(([name, [type, path]]) => {
    const one = listed.find((resource) => resource.type === type && isAt(path, resource.logicalId));
    if (!one) throw new Error(`The stack ${stackName} has no ${path}: was it deployed from this version?`);
    return [name, one.physicalId];
  });
  return Object.fromEntries(found) as Resources;
};
