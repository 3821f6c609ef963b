import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { clientAddress, frontDoorHandler } from '../../lambdas/runtime/front-door.ts';

const viewerAddress = '203.0.113.7';
const gatewayAddress = '192.0.2.1';
const eventWith = (authorizer: object | undefined, headers: Readonly<Record<string, string>>) =>
  ({
    headers,
    requestContext: { http: { sourceIp: gatewayAddress }, authorizer },
  }) as unknown as APIGatewayProxyEventV2;
const header = { 'x-passpost-viewer-address': viewerAddress };

describe('clientAddress', () => {
  test.each([
    [
      'the address in the front door header, for a request that came through the front door',
      { lambda: { cameThroughFrontDoor: true } },
      header,
      viewerAddress,
    ],
    ['the address at the gateway, if the request has no authorizer', undefined, header, gatewayAddress],
    [
      'the address at the gateway, if the authorizer gives no front door context',
      { lambda: null, jwt: {} },
      header,
      gatewayAddress,
    ],
    [
      'the address at the gateway, if the request did not come through the front door',
      { lambda: { cameThroughFrontDoor: false } },
      header,
      gatewayAddress,
    ],
    [
      'the address at the gateway, if the front door header is absent',
      { lambda: { cameThroughFrontDoor: true } },
      {},
      gatewayAddress,
    ],
  ])('returns %s', (_, authorizer, headers, expected) => {
    expect(clientAddress(eventWith(authorizer, headers))).toBe(expected);
  });
});

describe('the front door authorizer', () => {
  test('answers isAuthorized true to an admitted header and false to no header, each with this value in cameThroughFrontDoor', async () => {
    const handler = frontDoorHandler(async (headerValue) => headerValue === 'it');

    expect(await handler({ identitySource: ['it'] })).toEqual({
      isAuthorized: true,
      context: { cameThroughFrontDoor: true },
    });
    expect(await handler({ identitySource: [] })).toEqual({
      isAuthorized: false,
      context: { cameThroughFrontDoor: false },
    });
  });

  test('throws the error of the header check if the secrets cannot be read', async () => {
    const handler = frontDoorHandler(() => Promise.reject(new Error('unreadable')));

    await expect(handler({ identitySource: ['it'] })).rejects.toThrow('unreadable');
  });
});
