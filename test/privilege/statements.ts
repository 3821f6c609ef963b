import { createResolver, REGION } from '../../local/template/intrinsics.ts';
import { type Assembly, type Resource, resourcesOf } from '../../local/template/template.ts';

/** One statement of a function's role, with resources by their constructs' names. */
export interface Statement {
  readonly functionName: string;
  /** What is denied is denied to the function's own code; Lambda itself may go on by the same role. */
  readonly effect: 'Allow' | 'Deny';
  /** Where it stands: the policy's logical id and the statement's number in it. */
  readonly place: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Patterns that every leading key of a call must match one of; `null`: any key will do. */
  readonly leadingKeys: readonly string[] | null;
  /** The service that must make the call on the function's behalf; `null`: none need. */
  readonly through: string | null;
}

interface PolicyStatement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

const list = (value: string | readonly string[]): readonly string[] => [value].flat();

type Conditions = Pick<Statement, 'leadingKeys' | 'through'>;

/** What each condition that is understood says, by effect, operator and key. */
const conditions: Readonly<
  Record<string, (values: readonly string[], functionName: string) => Partial<Conditions> | null>
> = {
  'Allow ForAllValues:StringLike dynamodb:LeadingKeys': (leadingKeys) => ({ leadingKeys }),
  'Allow StringEquals kms:ViaService': ([host = '', ...others]) => {
    const [, service] = new RegExp(`^(\\w+)\\.${REGION}\\.amazonaws\\.com$`).exec(host) ?? [];
    return service !== undefined && others.length === 0 ? { through: service } : null;
  },
  'Deny ArnEquals lambda:SourceFunctionArn': ([only, ...others], functionName) =>
    only === functionName && others.length === 0 ? {} : null,
};

const conditionsOf = ({ Effect, Condition = {} }: PolicyStatement, functionName: string, place: string): Conditions => {
  const all = Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => ({ name: `${Effect} ${operator} ${key}`, values: list(values) })),
  );
  // Denied without a condition, something would be denied to Lambda as well.
  if (all.length > 1 || (Effect === 'Deny' && all.length === 0))
    throw new Error(`${place}: ${Effect} is not understood`);
  const read = all.map(({ name, values }) => conditions[name]?.(values, functionName) ?? null);
  if (!read.includes(null)) return Object.assign({ leadingKeys: null, through: null }, ...read);
  const said = all.map(({ name, values }) => `${name} ${values.join(', ')}`);
  throw new Error(`${place} has a condition that is not understood: ${said.join('; ')}`);
};

const readStatement = (functionName: string, place: string, statement: PolicyStatement): Statement => {
  const { Effect: effect } = statement;
  const known = ['Effect', 'Action', 'Resource', 'Condition'];
  const odd = Object.keys(statement).filter((name) => !known.includes(name));
  if ((effect !== 'Allow' && effect !== 'Deny') || odd.length > 0) {
    throw new Error(`${place} is not understood: ${[effect, ...odd].join(', ')}`);
  }
  const [actions, resources] = [list(statement.Action), list(statement.Resource)];
  const wild = actions.find((action) => action.includes('*'));
  if (wild) throw new Error(`${place} names ${wild}: actions are named one by one`);
  return { functionName, effect, place, actions, resources, ...conditionsOf(statement, functionName, place) };
};

/** What the roles of a synthesised stack allow and deny. Anything it does not understand is an error, never an allowance. */
export const statementsOf = (assembly: Assembly): Statement[] => {
  const nameOf = (logicalId: string): string => assembly.resources.get(logicalId)?.name ?? logicalId;
  const resolve = createResolver(assembly.stackName, {
    ref: nameOf,
    attribute: (logicalId, name) => nameOf(logicalId) + (name === 'StreamArn' ? '/stream' : ''),
  });
  const functions = new Map(
    resourcesOf(assembly, 'AWS::Lambda::Function').map(({ name, properties }) => [resolve(properties.Role), name]),
  );

  const rolesOf = ({ properties }: Resource): string[] => {
    const roles = resolve(properties.Roles ?? []) as string[];
    if (roles.length > 0 && !properties.Users && !properties.Groups) return roles;
    throw new Error('A policy is attached to something that is no role');
  };
  for (const { logicalId, name, properties } of resourcesOf(assembly, 'AWS::IAM::Role')) {
    if (!functions.has(name)) throw new Error(`The role ${logicalId} belongs to no function`);
    if (properties.Policies || properties.ManagedPolicyArns) throw new Error(`${logicalId} has policies of its own`);
  }
  if (resourcesOf(assembly, 'AWS::IAM::ManagedPolicy').length > 0) throw new Error('There is a managed policy');

  return resourcesOf(assembly, 'AWS::IAM::Policy').flatMap((policy) => {
    const { Statement } = resolve(policy.properties.PolicyDocument) as { Statement: PolicyStatement[] };
    return rolesOf(policy).flatMap((role) =>
      Statement.map((statement, index) => {
        const place = `${policy.logicalId}, statement ${index + 1}`;
        const functionName = functions.get(role);
        if (!functionName) throw new Error(`${place} is for the role ${role}, which belongs to no function`);
        return readStatement(functionName, place, statement);
      }),
    );
  });
};
