import { taskContentExample } from '../../lambdas/domain/events/event-samples.ts';
import { readEnvFile, writeEnvFile } from '../state/env-file.ts';
import { callApi, refusalOf } from './api-client.ts';

/** The key of a demo account, kept in the file from one start to the next. */
export const seedDemoAccount = async (url: string, adminKey: string, envFile: string): Promise<string> => {
  const known = readEnvFile(envFile)?.apiKey;
  const isAlive = known !== undefined && (await callApi(url, known, 'GET', '/tasks?limit=1')).status !== 401;
  const apiKey = isAlive ? known : await createAccount(url, adminKey);
  writeEnvFile(envFile, { url, apiKey, adminKey });
  return apiKey;
};

const createAccount = async (url: string, adminKey: string): Promise<string> => {
  const answer = await callApi(url, adminKey, 'POST', '/accounts', { name: 'Demo' });
  if (answer.status !== 201) throw new Error(`The demo account could not be made: ${refusalOf(answer)}.`);
  return String(answer.body.key);
};

export const welcome = (url: string, apiKey: string, logFile: string): string => `
PassPost is ready at ${url} (reference: ${url}/docs)
Demo key: ${apiKey}
What the functions log, whole: ${logFile}

Listen for webhooks, in another terminal:

  npm run listen

Create a task:

  curl -X POST ${url}/api/public/v1/tasks -H "Authorization: Bearer ${apiKey}" -H "Content-Type: application/json" -d '${JSON.stringify(taskContentExample)}'

`;
