import { parseArgs } from 'node:util';
import { type Command, type Given, parseable, UsageError } from './command.ts';
import { type Deployment, deploymentHere, deploymentOnAws } from './deployment.ts';
import { commands } from './index.ts';

const common: Command['options'] = {
  stage: { type: 'string', value: 'NAME', says: 'the stack passpost-NAME on AWS; production by default' },
  local: { type: 'boolean', says: 'the stack that npm start runs on this machine' },
  json: { type: 'boolean', says: 'one JSON object, for machines' },
  help: { type: 'boolean', says: 'this page' },
};

const optionLines = (options: Command['options']): string[] =>
  Object.entries(options).map(
    ([name, { value, says }]) => `  ${`--${name}${value ? ` ${value}` : ''}`.padEnd(20)} ${says}`,
  );

const overview = (): string =>
  [
    'Usage: npm run ops -- <command> [options]',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(20)} ${summary}`),
    '',
    ...optionLines(common),
    '',
    '<command> --help says more of one.',
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

const read = (args: readonly string[], options: Command['options']): Given => {
  try {
    return parseArgs({ args: [...args], options: parseable({ ...options, ...common }) }).values as Given;
  } catch (error) {
    // Its first sentence names the flag; what follows is advice on parsing.
    throw new UsageError(`${(error as Error).message.split('. ')[0]?.replace(/\.$/, '')}.`);
  }
};

const find = ({ stage, local }: Given, dataFolder: string): Promise<Deployment> | Deployment => {
  if (!local) return deploymentOnAws(String(stage ?? 'production'));
  if (stage !== undefined) throw new UsageError('--stage and --local exclude each other.');
  return deploymentHere(dataFolder);
};

/** Does what the arguments say, and answers what is to be printed. `dataFolder` is where a local stack keeps its data. */
export const run = async ([name, ...args]: readonly string[], dataFolder: string): Promise<string> => {
  if (name === undefined || name === '--help' || name === 'help') return overview();
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new UsageError(`There is no command ${name}: --help lists them.`);
  const { help, json, ...given } = read(args, command.options);
  if (help) return helpOf(name, command);
  const perform = command.prepare(given);
  const { data, lines } = await perform(await find(given, dataFolder));
  return json ? JSON.stringify(data) : lines.join('\n');
};
