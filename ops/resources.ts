/** A resource of the stack, as CloudFormation lists it. */
export interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
}

/** The resources that the commands use, each with its type and the path of its construct in the stack. */
const paths = {
  domainTable: ['AWS::DynamoDB::Table', 'storage/domain-table'],
  deliveryTable: ['AWS::DynamoDB::Table', 'storage/delivery-table'],
  credentialsTable: ['AWS::DynamoDB::Table', 'storage/credentials-table'],
  deliveries: ['AWS::SQS::Queue', 'delivery/deliveries'],
  slow: ['AWS::SQS::Queue', 'delivery/slow'],
  deadLetters: ['AWS::SQS::Queue', 'delivery/dead-letters'],
  failures: ['AWS::SQS::Queue', 'fan-out/failures'],
  deliveriesMapping: ['AWS::Lambda::EventSourceMapping', 'delivery/deliveries-mapping'],
  slowMapping: ['AWS::Lambda::EventSourceMapping', 'delivery/slow-mapping'],
  // The CDK writes two equal parts of a path once, so the function fan-out/fan-out has this path.
  fanOut: ['AWS::Lambda::Function', 'fan-out'],
  keyMaterial: ['AWS::Lambda::Function', 'keyring/key-material'],
} as const;

export type Resources = Readonly<Record<keyof typeof paths, string>>;

/**
 * Returns whether a logical id belongs to the construct at this path. A logical id is the path without punctuation,
 * plus a hash of eight digits. https://docs.aws.amazon.com/cdk/v2/guide/identifiers.html
 */
const isAt = (path: string, logicalId: string): boolean => {
  const name = path.replaceAll(/[^A-Za-z0-9]/g, '');
  return logicalId.startsWith(name) && /^[0-9A-F]{8}$/.test(logicalId.slice(name.length));
};

/**
 * Returns the physical ids of the resources that the commands use: names of tables and functions, URLs of queues, UUIDs
 * of mappings. Throws if the stack lacks one of the resources.
 */
export const resourcesIn = (stackName: string, listed: readonly StackResource[]): Resources => {
  const ids = Object.entries(paths).map(([name, [type, path]]) => {
    const resource = listed.find((candidate) => candidate.type === type && isAt(path, candidate.logicalId));
    if (!resource) throw new Error(`The stack ${stackName} has no ${path}: was it deployed from this version?`);
    return [name, resource.physicalId];
  });
  return Object.fromEntries(ids) as Resources;
};
