import type { Template } from 'aws-cdk-lib/assertions';
import {
  functionNames,
  named,
  nameOf,
  resourcesOf,
  resourcesOfType,
  type Statement,
  statementsOf,
} from './synthesised.ts';

const namesIn = (template: Template, value: unknown): readonly string[] => {
  const resources = resourcesOf(template);
  const ids = [...JSON.stringify(value).matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/g)].map(([, id]) => id ?? '');
  return ids.flatMap((id) => (resources[id] ? [nameOf(resources[id])] : []));
};

const resourceName = (template: Template, value: unknown): string => {
  const [name = '*'] = namesIn(template, value);
  const index = /\/index\/(\w+)/.exec(JSON.stringify(value))?.[1];
  if (JSON.stringify(value).includes('StreamArn')) return `${name}, stream`;
  return index ? `${name}, index ${index}` : name;
};

const callersOf = (template: Template, functionName: string): string => {
  const refersToFunction = (value: unknown) => namesIn(template, value).includes(functionName);
  const callers = [
    ...resourcesOfType(template, 'AWS::ApiGatewayV2::Integration')
      .filter(({ Properties }) => refersToFunction(Properties.IntegrationUri))
      .map(() => 'the API'),
    ...resourcesOfType(template, 'AWS::ApiGatewayV2::Authorizer')
      .filter(({ Properties }) => refersToFunction(Properties.AuthorizerUri))
      .map(() => 'the API, as its authorizer'),
    ...resourcesOfType(template, 'AWS::Lambda::EventSourceMapping')
      .filter(({ Properties }) => refersToFunction(Properties.FunctionName))
      .map(({ Properties }) => resourceName(template, Properties.EventSourceArn)),
    ...resourcesOfType(template, 'AWS::Events::Rule')
      .filter(({ Properties }) => refersToFunction(Properties.Targets))
      .map(({ Properties }) => String(Properties.ScheduleExpression)),
    ...Object.values(resourcesOf(template))
      .filter(({ Type, Properties }) => Type.startsWith('Custom::') && refersToFunction(Properties.ServiceToken))
      .map(() => 'the deployment'),
  ];
  return [...new Set(callers)].join(', ');
};

const bare = (actions: readonly string[]): string => actions.map((action) => action.replace(/^\w+:/, '')).join(', ');

/** Permissions that every function has, and permissions that a setting adds: the page lists them separately. */
const listedSeparately = /^(logs|xray|kms|ec2):/;

const linesOf = (template: Template, functionName: string): readonly string[] =>
  statementsOf(template, functionName).flatMap(({ Effect, Action, Resource, Condition }) => {
    const actions = [Action].flat().filter((action) => !listedSeparately.test(action));
    if (actions.length === 0) return [];
    if (Effect !== 'Allow')
      throw new Error(`${functionName} is denied ${actions.join(', ')}: the page has no text for this`);
    const keys = Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] as string | string[] | undefined;
    const targets = [Resource].flat().map((resource) => resourceName(template, resource));
    const rows =
      keys === undefined
        ? ''
        : `, rows ${[keys]
            .flat()
            .map((key) => `\`${key}\``)
            .join(' ')}`;
    return `**${[...new Set(targets)].join('; ')}**${rows}: ${bare(actions)}`;
  });

const withStatement = (template: Template, prefix: string) =>
  functionNames(template).flatMap((name) =>
    statementsOf(template, name)
      .filter(({ Action }) => [Action].flat().some((action) => action.startsWith(prefix)))
      .map((statement) => ({ name, statement })),
  );

const keyRows = (template: Template): readonly string[] => {
  const serviceOf = ({ Condition }: Statement): string =>
    /\["(\w+)\./.exec(JSON.stringify(Condition?.StringEquals?.['kms:ViaService']))?.[1] ?? 'any service';
  const holders = new Map<string, string[]>();
  for (const { name, statement } of withStatement(template, 'kms:')) {
    const may = `${serviceOf(statement)} | ${bare([statement.Action].flat())}`;
    holders.set(may, [...(holders.get(may) ?? []), `\`${name}\``]);
  }
  return [...holders].toSorted().map(([may, names]) => `| ${may} | ${names.toSorted().join(', ')} |`);
};

const networkLines = (template: Template): readonly string[] =>
  withStatement(template, 'ec2:').map(({ name, statement: { Effect, Action, Resource } }) =>
    Effect === 'Allow'
      ? `- \`${name}\`: the role allows Lambda, on \`${Resource}\`: ${bare([Action].flat())}.`
      : `- \`${name}\`: its code is denied (\`lambda:SourceFunctionArn\`): ${bare([Action].flat())}.`,
  );

/** Renders docs/permissions.md from a template with every setting. */
export const renderPermissions = (template: Template): string => {
  const functions = functionNames(template).toSorted();
  const rows = functions.map((name) => {
    const { Timeout, MemorySize } = named(template, 'AWS::Lambda::Function', name).Properties;
    const lines = linesOf(template, name);
    return `| \`${name}\` | ${callersOf(template, name)} | ${Timeout} s, ${MemorySize} MB | ${lines.join('<br>') || 'nothing'} |`;
  });
  return `<!-- Generated from the template by test/docs/permissions.test.ts: npx vitest run test/docs/permissions.test.ts -u -->

# What may talk to what

Each function has its own role. The table lists everything that the role allows, except writing to the function's own log and
sending traces. Two settings add permissions, listed [below](#with-kmskeyarn). Only the callers in the second column may call
a function. No role allows a call to another function, to another table, queue or secret of the account, or to any other
service.
The function \`front-door\` exists only with the setting \`webAclArn\`.

| function | called by | bounds | may do |
|---|---|---|---|
${rows.join('\n')}

## With \`kmsKeyArn\`

Each role also allows the use of this key, of \`formerKmsKeyArn\` and of \`nextKmsKeyArn\`, but only in calls that the named
service makes for the function (\`kms:ViaService\`).

| through | may | functions |
|---|---|---|
${keyRows(template).join('\n')}

## With \`egressAddresses\`

Lambda connects the function to its network with the function's role, and needs these actions on every resource. The
function's own code is denied them.

${networkLines(template).join('\n')}
`;
};
