import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { clientAddress, frontDoorHandler } from '../../lambdas/runtime/front-door.ts';

const told = '203.0.113.7';
const seen = '192.0.2.1';
const eventWith = (authorizer: object | undefined, headers: Readonly<Record<string, string>>) =>
  ({ headers, requestContext: { http: { sourceIp: seen }, authorizer } }) as unknown as APIGatewayProxyEventV2;
const header = { 'x-passpost-viewer-address': told };

describe('the client’s address', () => {
  test.each([
    ['what the front door says', { lambda: { cameThroughFrontDoor: true } }, header, told],
    ['whom the gateway sees, where there is no front door', undefined, header, seen],
    ['whom the gateway sees, where an authorizer says something else', { lambda: null, jwt: {} }, header, seen],
    ['whom the gateway sees, where it did not come through', { lambda: { cameThroughFrontDoor: false } }, header, seen],
    ['whom the gateway sees, where the front door says nothing', { lambda: { cameThroughFrontDoor: true } }, {}, seen],
  ])('is %s', (_, authorizer, headers, expected) => {
    expect(clientAddress(eventWith(authorizer, headers))).toBe(expected);
  });
});

describe('the authorizer', () => {
  test('answers what is thought of the header, and of none as of an empty one', async () => {
    const handler = frontDoorHandler(async (shown) => shown === 'it');

    expect(await handler({ identitySource: ['it'] })).toEqual({
      isAuthorized: true,
      context: { cameThroughFrontDoor: true },
    });
    expect(await handler({ identitySource: [] })).toEqual({
      isAuthorized: false,
      context: { cameThroughFrontDoor: false },
    });
  });

  test('fails where nobody can tell', async () => {
    const handler = frontDoorHandler(() => Promise.reject(new Error('unreadable')));

    await expect(handler({ identitySource: ['it'] })).rejects.toThrow('unreadable');
  });
});
