import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { rotationSchema } from '../lambdas/domain/keyring/rotate-keyring.ts';
import { type Command, UsageError, utc } from './command.ts';

const resultSchema = z.union([
  z.object({
    added: z.boolean(),
    sealing_kid: z.string(),
    signing_kids: z.array(z.string()),
    signs_from: z.iso.datetime(),
  }),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
]);

export const rotateKeyring: Command = {
  summary: 'add new keys to the keyring, which are published now and sign later',
  details:
    'Adds a sealing pair and a signing key of each kind. New secrets are sealed to the new pair immediately. The new keys sign\nafter the given time. Older secrets and signatures stay valid. While new keys wait for their time, another run adds no\nkeys: it completes a run that died, and it can make the new keys sign earlier.',
  options: {
    'signs-in': {
      type: 'string',
      value: 'SECONDS',
      description: 'time between publishing and signing, 1,200–2,592,000; 86,400 (one day) by default',
    },
  },
  prepare(values) {
    const wait = values['signs-in'];
    const request = rotationSchema.safeParse({
      operation: 'rotate-keyring',
      ...(wait === undefined ? {} : { signs_in_seconds: /^\d+$/.test(String(wait)) ? Number(wait) : Number.NaN }),
    });
    if (!request.success) {
      throw new UsageError(`--signs-in takes a whole number of seconds from 1200 to 2592000, not "${wait}".`);
    }
    return async ({ lambda, resources }) => {
      const { Payload, FunctionError } = await lambda.send(
        new InvokeCommand({ FunctionName: resources.keyMaterial, Payload: JSON.stringify(request.data) }),
      );
      const text = Payload?.transformToString() ?? '';
      const result = FunctionError ? undefined : resultSchema.safeParse(JSON.parse(text)).data;
      if (!result) throw new Error('The key-material function failed: see its log.');
      if ('error' in result) throw new Error(`The keyring was not rotated: ${result.error.message}`);
      const line = result.added
        ? 'New keys were added and published.'
        : 'No keys were added, because new keys are already waiting.';
      return { data: result, lines: [line, `The new keys sign from ${utc(Date.parse(result.signs_from))}.`] };
    };
  },
};
