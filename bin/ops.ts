import { UsageError } from '../ops/command.ts';
import { run } from '../ops/run.ts';

/** Where `npm start` keeps its data. */
const DATA_FOLDER = '.local';

/** What went wrong, in a sentence; of a service's error its name, too. */
const sentence = ({ name, message, code }: Error & { code?: unknown }): string => {
  if (code === 'ECONNREFUSED') return 'Nothing answers there: does the stack still run?';
  if (message === 'Region is missing') return 'No region is chosen: set AWS_REGION, for example to eu-north-1.';
  if (name === 'CredentialsProviderError')
    return 'There are no AWS credentials: set AWS_PROFILE, and sign in with aws sso login.';
  return name === 'Error' ? message : `${name}: ${message}`;
};

// As the AWS CLI reads them; the SDK knows the first only.
const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
if (!AWS_REGION && AWS_DEFAULT_REGION) process.env.AWS_REGION = AWS_DEFAULT_REGION;

run(process.argv.slice(2), DATA_FOLDER).then(
  (text) => process.stdout.write(`${text}\n`),
  (error: Error) => {
    process.stderr.write(`${sentence(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
