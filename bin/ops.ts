import { UsageError } from '../ops/command.ts';
import { run } from '../ops/run.ts';

/** The data folder of `npm start`. */
const DATA_FOLDER = '.local';

/** The error as one sentence. A service's error begins with its name. */
const sentenceOf = ({ name, message, code }: Error & { code?: unknown }): string => {
  if (code === 'ECONNREFUSED') return 'The connection was refused: is the stack still running?';
  if (message === 'Region is missing') return 'No region is chosen: set AWS_REGION, for example to eu-north-1.';
  if (name === 'CredentialsProviderError')
    return 'There are no AWS credentials: set AWS_PROFILE, and sign in with aws sso login.';
  return name === 'Error' ? message : `${name}: ${message}`;
};

// The AWS CLI also reads AWS_DEFAULT_REGION; the SDK reads only AWS_REGION.
const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
if (!AWS_REGION && AWS_DEFAULT_REGION) process.env.AWS_REGION = AWS_DEFAULT_REGION;

run(process.argv.slice(2), DATA_FOLDER).then(
  (text) => process.stdout.write(`${text}\n`),
  (error: Error) => {
    process.stderr.write(`${sentenceOf(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
