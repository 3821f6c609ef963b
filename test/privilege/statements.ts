import { createResolver, REGION } from '../../local/template/intrinsics.ts';
import { type Assembly, type Resource, resourcesOf } from '../../local/template/template.ts';

/** One statement of a function's role. Resources are named by their constructs. */
export interface Statement {
  readonly functionName: string;
  /** A denial applies only to the function's own code; Lambda itself may still use the role. */
  readonly effect: 'Allow' | 'Deny';
  /** Logical id of the policy, and number of the statement in it. */
  readonly place: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Every leading key of a call must match one of these patterns; `null` allows any key. */
  readonly leadingKeys: readonly string[] | null;
  /** The service that must make the call on the function's behalf (`kms:ViaService`); `null` for no such condition. */
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

/** Readers of the supported conditions, by effect, operator and key. `null`: the values are not supported. */
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
  // A denial without a condition would also apply to Lambda itself.
  if (all.length > 1 || (Effect === 'Deny' && all.length === 0))
    throw new Error(`${place}: this ${Effect} is not supported`);
  const read = all.map(({ name, values }) => conditions[name]?.(values, functionName) ?? null);
  if (!read.includes(null)) return Object.assign({ leadingKeys: null, through: null }, ...read);
  const texts = all.map(({ name, values }) => `${name} ${values.join(', ')}`);
  throw new Error(`${place} has a condition that is not supported: ${texts.join('; ')}`);
};

const readStatement = (functionName: string, place: string, statement: PolicyStatement): Statement => {
  const { Effect: effect } = statement;
  const known = ['Effect', 'Action', 'Resource', 'Condition'];
  const unknown = Object.keys(statement).filter((name) => !known.includes(name));
  if ((effect !== 'Allow' && effect !== 'Deny') || unknown.length > 0) {
    throw new Error(`${place} is not supported: ${[effect, ...unknown].join(', ')}`);
  }
  const [actions, resources] = [list(statement.Action), list(statement.Resource)];
  const wildcard = actions.find((action) => action.includes('*'));
  if (wildcard) throw new Error(`${place} contains ${wildcard}: list every action by name`);
  return { functionName, effect, place, actions, resources, ...conditionsOf(statement, functionName, place) };
};

/** Reads the statements of every role of a synthesised stack. Throws for everything that it does not support. */
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
    throw new Error('A policy is attached to a user or a group, or to nothing');
  };
  for (const { logicalId, name, properties } of resourcesOf(assembly, 'AWS::IAM::Role')) {
    if (!functions.has(name)) throw new Error(`The role ${logicalId} belongs to no function`);
    if (properties.Policies || properties.ManagedPolicyArns)
      throw new Error(`The role ${logicalId} has inline or managed policies`);
  }
  if (resourcesOf(assembly, 'AWS::IAM::ManagedPolicy').length > 0) throw new Error('The stack has a managed policy');

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
