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
  const isIts = (value: unknown) => namesIn(template, value).includes(functionName);
  const callers = [
    ...resourcesOfType(template, 'AWS::ApiGatewayV2::Integration')
      .filter(({ Properties }) => isIts(Properties.IntegrationUri))
      .map(() => 'the API'),
    ...resourcesOfType(template, 'AWS::ApiGatewayV2::Authorizer')
      .filter(({ Properties }) => isIts(Properties.AuthorizerUri))
      .map(() => 'the API, about whom it lets in'),
    ...resourcesOfType(template, 'AWS::Lambda::EventSourceMapping')
      .filter(({ Properties }) => isIts(Properties.FunctionName))
      .map(({ Properties }) => resourceName(template, Properties.EventSourceArn)),
    ...resourcesOfType(template, 'AWS::Events::Rule')
      .filter(({ Properties }) => isIts(Properties.Targets))
      .map(({ Properties }) => String(Properties.ScheduleExpression)),
    ...Object.values(resourcesOf(template))
      .filter(({ Type, Properties }) => Type.startsWith('Custom::') && isIts(Properties.ServiceToken))
      .map(() => 'the deployment'),
  ];
  return [...new Set(callers)].join(', ');
};

const bare = (actions: readonly string[]): string => actions.map((action) => action.replace(/^\w+:/, '')).join(', ');

/** What every function has, and what a setting brings: each is said once for all. */
const saidApart = /^(logs|xray|kms|ec2):/;

const linesOf = (template: Template, functionName: string): readonly string[] =>
  statementsOf(template, functionName).flatMap(({ Effect, Action, Resource, Condition }) => {
    const actions = [Action].flat().filter((action) => !saidApart.test(action));
    if (actions.length === 0) return [];
    if (Effect !== 'Allow')
      throw new Error(`${functionName} is denied ${actions.join(', ')}: the page does not say so`);
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

/** What each function's role allows it, read off the template with every setting; everything else is denied. */
export const renderPermissions = (template: Template): string => {
  const functions = functionNames(template).toSorted();
  const rows = functions.map((name) => {
    const { Timeout, MemorySize } = named(template, 'AWS::Lambda::Function', name).Properties;
    const lines = linesOf(template, name);
    return `| \`${name}\` | ${callersOf(template, name)} | ${Timeout} s, ${MemorySize} MB | ${lines.join('<br>') || 'nothing'} |`;
  });
  return `<!-- Generated from the template by test/docs/permissions.test.ts: npx vitest run test/docs/permissions.test.ts -u -->

# What may talk to what

Each function has a role of its own, and this is all that it allows besides the function's own log and traces; what two
settings add stands [below](#with-kmskeyarn). The stack lets a function be called by what stands in the second column and by
nothing else. No role allows a call to another function, to another table, queue or secret of the account, or to any other
service.
The function \`front-door\` is there with the setting \`webAclArn\` only.

| function | called by | bounds | may do |
|---|---|---|---|
${rows.join('\n')}

## With \`kmsKeyArn\`

Each role also allows the use of that key, and of \`formerKmsKeyArn\` and \`nextKmsKeyArn\`, in calls that the named service
makes for the function (\`kms:ViaService\`) and in no others.

| through | may | functions |
|---|---|---|
${keyRows(template).join('\n')}

## With \`egressAddresses\`

Lambda puts the function into its network by the function's role, and asks for this on every resource. The code that runs
under the role is denied it.

${networkLines(template).join('\n')}
`;
};
