import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { RateLimitStore } from '../../domain/sending/rate-limits.ts';
import { batchGet } from '../aws/batch-get.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { leasesKey, slotsKey } from '../rows/table-keys.ts';

const MAX_TRIES = 8;

/**
 * Stores the rate limit of each webhook: the time of the next free slot, and the leases of running requests. If other
 * instances win every try, `reserveSlots` throws and `takeLeases` returns no lease.
 */
export const createRateLimits = (client: DynamoDBClient, table: string): RateLimitStore => {
  /** Updates a row on a condition. Returns the row after the update, or null where the condition did not hold. */
  const update = async (
    key: { pk: string; sk: string },
    expression: string,
    condition: string,
    values: Record<string, unknown>,
  ): Promise<Record<string, unknown> | null> => {
    const updated = await nullIfRefused(
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: marshall(key),
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeValues: marshall(values),
          ReturnValues: 'ALL_NEW',
        }),
      ),
    );
    return updated && unmarshall(updated.Attributes ?? {});
  };

  return {
    async reserveSlots(webhookId, count, intervalMs, nowMs) {
      const key = slotsKey(webhookId);
      const span = count * intervalMs;
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const running = await update(key, 'SET next_ms = next_ms + :span', 'next_ms > :now', {
          ':span': span,
          ':now': nowMs,
        });
        if (running) return Number(running.next_ms) - span;
        const restarted = await update(
          key,
          'SET next_ms = :next, kind = :kind',
          'attribute_not_exists(next_ms) OR next_ms <= :now',
          { ':next': nowMs + span, ':kind': 'slots', ':now': nowMs },
        );
        if (restarted) return nowMs;
      }
      throw new Error(`no slot could be reserved in ${MAX_TRIES} tries`);
    },

    async takeLeases(webhookId, most, wanted, nowMs, endsAtMs) {
      const key = leasesKey(webhookId);
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const row = (await batchGet(client, [{ table, key, isConsistent: true }]))(table, key);
        const held = Object.entries((row?.held as Record<string, number> | undefined) ?? {});
        const active = held.filter(([, endMs]) => endMs > nowMs);
        const taken = Array.from({ length: Math.min(wanted, most - active.length) }, () => randomUUID());
        if (taken.length === 0) return [];
        const version = Number(row?.v ?? 0);
        const written = await update(
          key,
          'SET held = :held, v = :next, kind = :kind',
          version === 0 ? 'attribute_not_exists(v)' : 'v = :version',
          {
            ':held': Object.fromEntries([...active, ...taken.map((id) => [id, endsAtMs])]),
            ':next': version + 1,
            ':kind': 'leases',
            ...(version === 0 ? {} : { ':version': version }),
          },
        );
        if (written) return taken;
        await sleep(Math.random() * 20);
      }
      return [];
    },

    async returnLeases(webhookId, leases) {
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: marshall(leasesKey(webhookId)),
          UpdateExpression: `REMOVE ${leases.map((_, index) => `held.#l${index}`).join(', ')} ADD v :one`,
          ExpressionAttributeNames: Object.fromEntries(leases.map((id, index) => [`#l${index}`, id])),
          ExpressionAttributeValues: marshall({ ':one': 1 }),
        }),
      );
    },
  };
};
