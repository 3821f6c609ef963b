import { describe, expect, it } from 'vitest';
import * as deliveries from '../../lambdas/contract/deliveries.ts';
import * as eventTypes from '../../lambdas/contract/event-types.ts';
import * as events from '../../lambdas/contract/events.ts';
import * as jobs from '../../lambdas/contract/jobs.ts';
import * as templates from '../../lambdas/contract/templates.ts';
import * as webhooks from '../../lambdas/contract/webhooks.ts';
import { profileOf } from '../../lambdas/profiles/index.ts';
import type { Operation } from '../../lambdas/runtime/operation.ts';
import { codeBlocks } from '../helpers/snippets.ts';

const operations: readonly Operation[] = [deliveries, eventTypes, events, jobs, templates, webhooks].flatMap(
  (contract) => Object.values(contract),
);

/** The calls of the native API that the pages show: method, path and body. */
const pages = ['publishing.md', 'profiles/postmen.md', 'profiles/inpost.md'];
const calls = pages
  .flatMap((page) => codeBlocks(page, 'sh'))
  .flatMap((block) => block.split(/\n(?=curl)/))
  .map((text) => {
    const [, method = '', path = ''] = /^curl -X (\w+) "?\$PASSPOST_URL([^\s"?]+)/.exec(text) ?? [];
    const [, body] = /-d '(.*)'/s.exec(text) ?? [];
    return { call: `${method} ${path}`, body: body === undefined ? undefined : JSON.parse(body) };
  });

const operationOf = (call: string): Operation | undefined =>
  operations.find(({ method, path }) => new RegExp(`^${method} ${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(call));

describe('the curl calls of the pages publishing, postmen and inpost', () => {
  it.each(calls.map(({ call, body }) => [call, body] as const))(
    '%s is an operation of the API, and the call has a valid body or none',
    (call, body) => {
      const operation = operationOf(call);

      expect(operation).toBeDefined();
      if (operation?.body && body !== undefined) expect(operation.body.safeParse(body).error).toBeUndefined();
      if (body?.profile)
        expect(profileOf(body.profile).options.safeParse(body.profile_options ?? {}).success).toBe(true);
    },
  );

  it('are at least twelve', () => {
    expect(calls.length).toBeGreaterThanOrEqual(12);
  });
});
