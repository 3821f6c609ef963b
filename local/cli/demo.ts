import { taskContentExample } from '../../lambdas/domain/events/event-samples.ts';
import { readEnvFile, writeEnvFile } from '../state/env-file.ts';
import { callApi, refusalOf } from './api-client.ts';

/**
 * Returns the demo account's API key from `envFile`. Creates the account first if the file has no key that the API
 * accepts. Writes the stack's URL, this key and the operator's key to the file.
 */
export const seedDemoAccount = async (url: string, adminKey: string, envFile: string): Promise<string> => {
  const storedKey = readEnvFile(envFile)?.apiKey;
  const isValid = storedKey !== undefined && (await callApi(url, storedKey, 'GET', '/tasks?limit=1')).status !== 401;
  const apiKey = isValid ? storedKey : await createAccount(url, adminKey);
  writeEnvFile(envFile, { url, apiKey, adminKey });
  return apiKey;
};

const createAccount = async (url: string, adminKey: string): Promise<string> => {
  const answer = await callApi(url, adminKey, 'POST', '/accounts', { name: 'Demo' });
  if (answer.status !== 201) throw new Error(`The demo account could not be created: ${refusalOf(answer)}.`);
  return String(answer.body.key);
};

/**
 * Returns the text that `npm start` prints when the stack is ready: the URLs, the demo account's API key, the log file
 * and two example commands.
 */
export const welcome = (url: string, apiKey: string, logFile: string): string => `
PassPost is ready at ${url} (API reference: ${url}/docs)
The API key of the demo account is ${apiKey}
The complete log of all functions is in ${logFile}

Receive webhooks in another terminal:

  npm run listen

Create a task:

  curl -X POST ${url}/api/public/v1/tasks -H "Authorization: Bearer ${apiKey}" -H "Content-Type: application/json" -d '${JSON.stringify(taskContentExample)}'

`;
