export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';

/** The values that the template's references (`Ref` and `Fn::GetAtt`) have on this machine. */
export interface References {
  ref(logicalId: string): unknown;
  attribute(logicalId: string, name: string): unknown;
}

/** Replaces every intrinsic function in a template's value, for example every `Ref`, and returns the result. */
export type Resolve = (value: unknown) => unknown;

const pseudoParameters = (stackName: string): Record<string, unknown> => ({
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': REGION,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': stackName,
  'AWS::StackId': `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stackName}/local`,
  'AWS::NoValue': undefined,
});

/**
 * Creates a resolver of CloudFormation's intrinsic functions, as far as the CDK uses them. The resolver throws for an
 * unknown function.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
export const createResolver = (stackName: string, references: References): Resolve => {
  const pseudo = pseudoParameters(stackName);
  const ref = (name: string): unknown => (name in pseudo ? pseudo[name] : references.ref(name));
  const attribute = (path: string | readonly string[]): unknown => {
    const [logicalId = '', ...rest] = typeof path === 'string' ? path.split('.') : path;
    return references.attribute(logicalId, rest.join('.'));
  };

  const substitute = (text: string, variables: Readonly<Record<string, unknown>>): string =>
    text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      if (name in variables) return String(resolve(variables[name]));
      return String(name.includes('.') ? attribute(name) : ref(name));
    });

  const intrinsics: Record<string, (argument: unknown) => unknown> = {
    Ref: (name) => ref(name as string),
    'Fn::GetAtt': (path) => attribute(path as string | string[]),
    'Fn::Join': (argument) => {
      const [separator, parts] = argument as [string, unknown];
      return (resolve(parts) as unknown[]).join(separator);
    },
    'Fn::Sub': (argument) => {
      const [text, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [
        string,
        Record<string, unknown>,
      ];
      return substitute(text, variables);
    },
    'Fn::Select': (argument) => {
      const [index, list] = argument as [unknown, unknown];
      return (resolve(list) as unknown[])[Number(resolve(index))];
    },
    'Fn::Split': (argument) => {
      const [separator, text] = argument as [string, unknown];
      return String(resolve(text)).split(separator);
    },
  };

  const resolve: Resolve = (value) => {
    if (Array.isArray(value)) return value.map(resolve).filter((item) => item !== undefined);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [name, argument] = entries[0] ?? [];
    if (entries.length === 1 && name !== undefined && (name === 'Ref' || name.startsWith('Fn::'))) {
      const intrinsic = intrinsics[name];
      if (!intrinsic) throw new Error(`The template uses ${name}, which the local stack does not know.`);
      return intrinsic(argument);
    }
    return Object.fromEntries(
      entries.map(([key, item]) => [key, resolve(item)]).filter(([, item]) => item !== undefined),
    );
  };
  return resolve;
};
