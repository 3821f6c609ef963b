import * as z from 'zod';
import { auditEntry } from '../foundation/audit.ts';
import { PassPostError, refuseFaults } from '../foundation/errors.ts';
import {
  type AnswerWithSecret,
  answerOnce,
  type FirstAnswer,
  type IdempotentRequest,
} from '../foundation/idempotency.ts';
import { DAY_SECONDS, SECOND_MS } from '../foundation/time.ts';
import type { Seal } from './create-webhook.ts';
import { webhookRoutes } from './event-routing.ts';
import { createSecret, MOST_SECRETS, sealSecret, withNewSecret } from './secret.ts';
import { concurrentChange, findWebhook, MAX_TRIES, type WebhookRequest, type WebhookStore } from './update-loop.ts';
import { profileNamed, settingsFaults, type WebhookRules } from './validate-webhook.ts';
import { type RotationView, rotationViewSchema } from './webhook-view.ts';

export const secretRotationSchema = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(14 * DAY_SECONDS)
      .default(DAY_SECONDS)
      .meta({ description: 'How long the previous secret still signs; 0 ends it immediately.' }),
    secret: z.string().max(512).optional().meta({ description: 'Your own secret. Without it, a secret is generated.' }),
  })
  .meta({ id: 'SecretRotation' });
export type SecretRotation = z.output<typeof secretRotationSchema>;

export const rotatedSecretSchema = rotationViewSchema
  .extend({ secret: z.string().optional().meta({ description: 'Shown only once.' }) })
  .meta({ id: 'RotatedSecret' });

export interface RotationStore extends WebhookStore {
  firstRotation(
    owner: string,
    webhookId: string,
    idempotencyKey: string,
    nowMs: number,
  ): Promise<FirstAnswer<RotationView> | null>;
}

export interface RotateSecretRequest extends IdempotentRequest, WebhookRequest {
  readonly body: SecretRotation;
}

/**
 * Gives a webhook a new secret. Until the previous secret expires, a profile whose requests have room for two signatures
 * signs with both secrets; any other profile signs with the previous secret alone. Throws `not_found`, `invalid` or
 * `conflict`.
 */
export const rotateSecret = (
  request: RotateSecretRequest,
  { store, rules, seal }: { readonly store: RotationStore; readonly rules: WebhookRules; readonly seal: Seal },
): Promise<AnswerWithSecret<RotationView>> => {
  const { owner, id, body, by, idempotencyKey, contentHash, nowMs } = request;
  const overlapMs = body.overlap_seconds * SECOND_MS;
  const firstAnswer = (key: string) => store.firstRotation(owner, id, key, nowMs);

  const perform = async (): Promise<AnswerWithSecret<RotationView> | 'repeated'> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = await findWebhook(store, owner, id);
      const profile = profileNamed(before.profile, rules);
      const context = {
        owner,
        isOfCustomer: before.customer !== null,
        allowHttp: before.allow_http,
        hasBasicAuth: false,
        unchangedHeaderNames: [],
      };
      refuseFaults(await settingsFaults({ secret: body.secret }, context, before.profile, rules));
      const secret = body.secret ?? createSecret();
      const sealed = await sealSecret(secret, profile, (purpose, text) => seal(owner, id, purpose, text));
      const secrets = withNewSecret(before.secrets, sealed, overlapMs, nowMs);
      if (secrets.length > MOST_SECRETS) {
        const message = `A webhook has at most ${MOST_SECRETS} valid secrets: wait until a secret expires, or rotate with an overlap of 0.`;
        throw new PassPostError('conflict', message);
      }
      const after = {
        ...before,
        secrets: [...secrets],
        version: before.version + 1,
        updated_at: new Date(nowMs).toISOString(),
      };
      const answer = { previous_expires_at: new Date(nowMs + overlapMs).toISOString() };
      const isDone = await store.replace({
        before,
        after,
        routesBefore: webhookRoutes(before, profile),
        routesAfter: webhookRoutes(after, profile),
        command: null,
        entry: auditEntry(by, 'webhook.secret_rotated', id, nowMs),
        rotation: idempotencyKey === null ? null : { idempotencyKey, contentHash, answer },
        nowMs,
      });
      if (isDone) return { answer, secret };
      if (idempotencyKey !== null && (await firstAnswer(idempotencyKey))) return 'repeated';
    }
    throw concurrentChange();
  };

  return answerOnce(request, firstAnswer, perform);
};
