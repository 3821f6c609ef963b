import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { rotationSchema } from '../lambdas/domain/keyring/rotate-keyring.ts';
import type { Command } from './command.ts';

const resultSchema = z.union([
  z.object({ sealing_kid: z.string() }),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
]);

export const rotateKeyring: Command = {
  summary: 'add a sealing pair to the keyring, to which new secrets are sealed',
  details:
    'New secrets of webhooks, and new private keys of accounts, are sealed to the new pair within five minutes. Older ones stay\nsealed to the older pairs, which stay in the keyring. Accounts rotate their signing keys themselves.',
  options: {},
  prepare:
    () =>
    async ({ lambda, resources }) => {
      const request = rotationSchema.parse({ operation: 'rotate-keyring' });
      const { Payload, FunctionError } = await lambda.send(
        new InvokeCommand({ FunctionName: resources.keyMaterial, Payload: JSON.stringify(request) }),
      );
      const text = Payload?.transformToString() ?? '';
      const result = FunctionError ? undefined : resultSchema.safeParse(JSON.parse(text)).data;
      if (!result) throw new Error('The key-material function failed: see its log.');
      if ('error' in result) throw new Error(`The keyring was not rotated: ${result.error.message}`);
      return { data: result, lines: [`The sealing pair ${result.sealing_kid} was added and published.`] };
    },
};
