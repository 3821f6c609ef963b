import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { operatorRotationSchema } from '../lambdas/domain/keyring/rotate-operator-key.ts';
import { type Command, UsageError, utc } from './command.ts';

const resultSchema = z.union([
  z.object({ prefix: z.string(), former_key_ends_at: z.iso.datetime() }),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
]);

export const rotateOperatorKey: Command = {
  summary: "give the first operator a new API key, in the deployment's secret",
  details:
    "Draws a new key and writes it into the secret that the deployment's output OperatorKeySecret names; the command does not\nshow it. The former key stays valid for the overlap. If the first operator was deleted, it exists again, so this\ncommand also helps when every operator's key is lost.",
  options: {
    'overlap-seconds': {
      type: 'string',
      value: 'SECONDS',
      description: 'how long the former key stays valid, 0–2,592,000; 86,400 (one day) by default; 0 if it has leaked',
    },
  },
  prepare(values) {
    const overlap = values['overlap-seconds'];
    const request = operatorRotationSchema.safeParse({
      operation: 'rotate-operator-key',
      ...(overlap === undefined
        ? {}
        : { overlap_seconds: /^\d+$/.test(String(overlap)) ? Number(overlap) : Number.NaN }),
    });
    if (!request.success) {
      throw new UsageError(`--overlap-seconds takes a whole number of seconds from 0 to 2592000, not "${overlap}".`);
    }
    return async ({ lambda, resources }) => {
      const { Payload, FunctionError } = await lambda.send(
        new InvokeCommand({ FunctionName: resources.keyMaterial, Payload: JSON.stringify(request.data) }),
      );
      const text = Payload?.transformToString() ?? '';
      const result = FunctionError ? undefined : resultSchema.safeParse(JSON.parse(text)).data;
      if (!result) throw new Error('The key-material function failed: see its log.');
      if ('error' in result) throw new Error(`The operator's key was not rotated: ${result.error.message}`);
      return {
        data: result,
        lines: [
          `The new key is in the secret. It begins with ${result.prefix}.`,
          `The former key is valid until ${utc(Date.parse(result.former_key_ends_at))}.`,
        ],
      };
    };
  },
};
