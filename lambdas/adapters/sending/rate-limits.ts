import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { AccountSlotStore } from '../../domain/sending/account-limit.ts';
import type { RateLimitStore } from '../../domain/sending/rate-limits.ts';
import { batchGet } from '../aws/batch-get.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { accountSlotsKey, type Key, leasesKey, slotsKey } from '../rows/table-keys.ts';

const MAX_TRIES = 8;

/**
 * Stores the rate limits of webhooks and accounts: the time of the next free slot, and the leases of a webhook's running
 * requests. If other instances win every try, `reserveSlots` and `reserveNext` throw and `takeLeases` returns no lease.
 */
export const createRateLimits = (client: DynamoDBClient, table: string): RateLimitStore & AccountSlotStore => {
  /** Updates a row on a condition. Returns the row after the update, or null where the condition did not hold. */
  const update = async (
    key: Key,
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

  /** Begins a row of slots anew at `fromMs`, if its next free slot is not later. Returns whether it did. */
  const restart = async (key: Key, span: number, fromMs: number): Promise<boolean> => {
    const restarted = await update(
      key,
      'SET next_ms = :next, kind = :kind',
      'attribute_not_exists(next_ms) OR next_ms <= :from',
      { ':next': fromMs + span, ':kind': 'slots', ':from': fromMs },
    );
    return restarted !== null;
  };

  /** Reserves slots that together take `span` milliseconds, at `fromMs` or later. Returns the time of the first. */
  const reserve = async (key: Key, span: number, fromMs: number): Promise<number> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const running = await update(key, 'SET next_ms = next_ms + :span', 'next_ms > :from', {
        ':span': span,
        ':from': fromMs,
      });
      if (running) return Number(running.next_ms) - span;
      if (await restart(key, span, fromMs)) return fromMs;
    }
    throw new Error(`no slot could be reserved in ${MAX_TRIES} tries`);
  };

  return {
    reserveSlots: (webhookId, count, intervalMs, nowMs) => reserve(slotsKey(webhookId), count * intervalMs, nowMs),

    reserveNext: (accountId, count, intervalMs, fromMs) =>
      reserve(accountSlotsKey(accountId), count * intervalMs, fromMs),

    async reserveWithin(accountId, count, intervalMs, { fromMs, untilMs }) {
      const key = accountSlotsKey(accountId);
      const span = count * intervalMs;
      if (span > untilMs - fromMs) return false;
      const values = { ':span': span, ':from': fromMs, ':last': untilMs - span };
      const advance = () =>
        update(key, 'SET next_ms = next_ms + :span', 'next_ms > :from AND next_ms <= :last', values);
      if (await advance()) return true;
      if (await restart(key, span, fromMs)) return true;
      // Another instance may have begun the row anew between the two calls.
      return (await advance()) !== null;
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
