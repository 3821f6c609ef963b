import { parseArgs } from 'node:util';
import { type Command, type OptionValues, parseArgsOptions, UsageError } from './command.ts';
import { awsDeployment, type Deployment, localDeployment } from './deployment.ts';
import { commands } from './index.ts';

const common: Command['options'] = {
  stage: { type: 'string', value: 'NAME', description: 'use the stack passpost-NAME on AWS; production by default' },
  local: { type: 'boolean', description: 'use the stack that npm start runs on this machine' },
  json: { type: 'boolean', description: 'print one JSON object' },
  help: { type: 'boolean', description: 'show this page' },
};

const optionLines = (options: Command['options']): string[] =>
  Object.entries(options).map(
    ([name, { value, description }]) => `  ${`--${name}${value ? ` ${value}` : ''}`.padEnd(20)} ${description}`,
  );

const overview = (): string =>
  [
    'Usage: npm run ops -- <command> [options]',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(20)} ${summary}`),
    '',
    ...optionLines(common),
    '',
    'Show the options of a command with: <command> --help',
  ].join('\n');

const helpOf = (name: string, { summary, details, options }: Command): string =>
  [
    `Usage: npm run ops -- ${name} [options]`,
    '',
    `${name}: ${summary}.`,
    '',
    details,
    '',
    ...optionLines({ ...options, ...common }),
  ].join('\n');

const read = (args: readonly string[], options: Command['options']): OptionValues => {
  try {
    return parseArgs({ args: [...args], options: parseArgsOptions({ ...options, ...common }) }).values as OptionValues;
  } catch (error) {
    // Shows only the first sentence of Node's message, which names the option. The rest is advice on parsing.
    throw new UsageError(`${(error as Error).message.split('. ')[0]?.replace(/\.$/, '')}.`);
  }
};

const connect = ({ stage, local }: OptionValues, dataFolder: string): Promise<Deployment> | Deployment => {
  if (!local) return awsDeployment(String(stage ?? 'production'));
  if (stage !== undefined) throw new UsageError('--stage and --local exclude each other.');
  return localDeployment(dataFolder);
};

/**
 * Runs the command that the arguments name and returns the text to print. Throws `UsageError` for wrong arguments.
 * `dataFolder` is the folder with the data of the local stack.
 */
export const run = async ([name, ...args]: readonly string[], dataFolder: string): Promise<string> => {
  if (name === undefined || name === '--help' || name === 'help') return overview();
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new UsageError(`Unknown command ${name}: --help lists the commands.`);
  const { help, json, ...values } = read(args, command.options);
  if (help) return helpOf(name, command);
  const perform = command.prepare(values);
  const { data, lines } = await perform(await connect(values, dataFolder));
  return json ? JSON.stringify(data) : lines.join('\n');
};
