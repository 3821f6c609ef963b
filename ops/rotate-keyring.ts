import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { rotationSchema } from '../lambdas/domain/keyring/rotate-keyring.ts';
import { type Command, moment, UsageError } from './command.ts';

const answerSchema = z.union([
  z.object({
    added: z.boolean(),
    sealing_kid: z.string(),
    signing_kids: z.array(z.string()),
    signs_from: z.iso.datetime(),
  }),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
]);

export const rotateKeyring: Command = {
  summary: 'add new keys to the keyring: published now, signing later',
  details:
    'Adds a sealing pair and a signing key of each kind. New secrets are sealed to the new pair at once; the new keys sign\nafter the time given, and what was sealed or signed before stays good. While new keys wait for their time a second run\nadds none: it finishes one that died, and may bring the time forward.',
  options: {
    'signs-in': {
      type: 'string',
      value: 'SECONDS',
      says: 'publish the new keys for so long before they sign, 1,200–2,592,000; 86,400 (a day) by default',
    },
  },
  prepare(given) {
    const wait = given['signs-in'];
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
      const answer = FunctionError ? undefined : answerSchema.safeParse(JSON.parse(text)).data;
      if (!answer) throw new Error('The key-material function failed: see its log.');
      if ('error' in answer) throw new Error(`The keyring was not rotated: ${answer.error.message}`);
      const did = answer.added
        ? 'New keys were added and published.'
        : 'New keys were waiting already: none were added.';
      return { data: answer, lines: [did, `They sign from ${moment(Date.parse(answer.signs_from))}.`] };
    };
  },
};
