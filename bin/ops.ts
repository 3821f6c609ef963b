import { UsageError } from '../ops/command.ts';
import { run } from '../ops/run.ts';

/** The folder in which `npm start` stores the local stack's data. */
const DATA_FOLDER = '.local';

/** Returns an error as one sentence for the operator. The error of an AWS service begins with the error's name. */
const sentenceOf = ({ name, message, code }: Error & { code?: unknown }): string => {
  if (code === 'ECONNREFUSED') return 'The connection was refused: is the stack still running?';
  if (message === 'Region is missing') return 'No region is chosen: set AWS_REGION, for example to eu-north-1.';
  if (name === 'CredentialsProviderError')
    return 'There are no AWS credentials: set AWS_PROFILE, and sign in with aws sso login.';
  return name === 'Error' ? message : `${name}: ${message}`;
};

// Copies AWS_DEFAULT_REGION to AWS_REGION: the AWS CLI reads both variables, but the SDK reads only AWS_REGION.
const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
if (!AWS_REGION && AWS_DEFAULT_REGION) process.env.AWS_REGION = AWS_DEFAULT_REGION;

run(process.argv.slice(2), DATA_FOLDER).then(
  (text) => process.stdout.write(`${text}\n`),
  (error: Error) => {
    process.stderr.write(`${sentenceOf(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
