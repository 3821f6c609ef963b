import type { Template } from 'aws-cdk-lib/assertions';
import { functionNames, named, nameOf, resourcesOf, resourcesOfType, statementsOf } from './synthesised.ts';

type Conditional = ReturnType<typeof statementsOf>[number] & {
  readonly Condition?: { readonly 'ForAllValues:StringLike'?: { readonly 'dynamodb:LeadingKeys': string | string[] } };
};

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

const linesOf = (template: Template, functionName: string): readonly string[] =>
  (statementsOf(template, functionName) as readonly Conditional[]).flatMap(({ Action, Resource, Condition }) => {
    const actions = [Action].flat().filter((action) => !/^(logs|xray):/.test(action));
    if (actions.length === 0) return [];
    const keys = Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'];
    const targets = [Resource].flat().map((resource) => resourceName(template, resource));
    const rows =
      keys === undefined
        ? ''
        : `, rows ${[keys]
            .flat()
            .map((key) => `\`${key}\``)
            .join(' ')}`;
    return `**${[...new Set(targets)].join('; ')}**${rows}: ${actions.map((action) => action.replace(/^\w+:/, '')).join(', ')}`;
  });

/** What each function's role allows it, read off the template; everything else is denied. */
export const renderPermissions = (template: Template): string => {
  const functions = functionNames(template).toSorted();
  const rows = functions.map((name) => {
    const { Timeout, MemorySize } = named(template, 'AWS::Lambda::Function', name).Properties;
    const lines = linesOf(template, name);
    return `| \`${name}\` | ${callersOf(template, name)} | ${Timeout} s, ${MemorySize} MB | ${lines.join('<br>') || 'nothing'} |`;
  });
  return `<!-- Generated from the template by test/docs/permissions.test.ts: npx vitest run test/docs/permissions.test.ts -u -->

# What may talk to what

Each function has a role of its own, and this is all that it allows besides the function's own log and traces. The
stack lets a function be called by what stands in the second column and by nothing else. No role allows a call to another function, to another
table, queue or secret of the account, or to any other service.
The function \`front-door\` is there with the setting \`webAclArn\` only.

| function | called by | bounds | may do |
|---|---|---|---|
${rows.join('\n')}
`;
};
