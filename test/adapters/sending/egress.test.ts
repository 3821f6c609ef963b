import { describe, expect, test, vi } from 'vitest';
import { isPublicAddress, resolvePublic } from '../../../lambdas/adapters/sending/egress.ts';

describe('isPublicAddress', () => {
  test.each(['8.8.8.8', '93.184.216.34', '1.0.0.1', '2606:4700::1111', '2a00:1450:4009::1'])(
    'is true for %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each([
    ...['', 'example.com', '0.0.0.0', '0.1.2.3', '10.1.2.3', '100.64.0.1', '127.0.0.1', '169.254.169.254'],
    ...['172.16.0.1', '192.168.1.1', '192.0.0.8', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.51.100.1'],
    ...['203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    // Other spellings of 127.0.0.1 and 10.0.0.1.
    ...['127.1', '2130706433', '0x7f.0.0.1', '0x7f000001', '0177.0.0.1', '0x0a.1', '012.0.0.1'],
    ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'fec0::1', 'ff02::1', '100::1', '4000::1'],
    // IPv4 inside IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo.
    ...['::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1', '::127.0.0.1', '::ffff:0:8.8.8.8'],
    ...['64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::1', '2002:7f00:1::', '2001::1', '2001:0:4136:e378::1'],
    ...['2001:db8::1', '3fff::1', '2001:2::1', '2001:10::1', '2001:20::1', '5f00::1'],
  ])('is false for %j', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('resolvePublic', () => {
  const answers = (...addresses: string[]) => {
    const lookup = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    return { allowLoopback: false, lookup };
  };

  test('returns the outcome public and every address of a host whose two addresses are public', async () => {
    const resolution = await resolvePublic('example.com', answers('93.184.216.34', '2606:4700::1111'));

    expect(resolution).toEqual({
      outcome: 'public',
      addresses: [
        { address: '93.184.216.34', family: 4 },
        { address: '2606:4700::1111', family: 6 },
      ],
    });
  });

  test.each([
    [['93.184.216.34', '10.0.0.1']],
    [['2606:4700::1111', '::1']],
    [['169.254.169.254']],
    [['::ffff:93.184.216.34']],
  ])('returns the outcome forbidden for a host with the addresses %j', async (addresses) => {
    expect(await resolvePublic('example.com', answers(...addresses))).toEqual({ outcome: 'forbidden' });
  });

  test('with allowLoopback returns public for 127.0.0.1 and ::1, and forbidden for 10.0.0.1 and 0.0.0.0', async () => {
    const resolve = (address: string) => resolvePublic('a.example', { ...answers(address), allowLoopback: true });

    expect(await resolve('127.0.0.1')).toMatchObject({ outcome: 'public' });
    expect(await resolve('::1')).toMatchObject({ outcome: 'public' });
    expect(await resolve('10.0.0.1')).toEqual({ outcome: 'forbidden' });
    expect(await resolve('0.0.0.0')).toEqual({ outcome: 'forbidden' });
  });

  test('without a lookup returns public for the host 93.184.216.34, and forbidden for 169.254.169.254 and ::1', async () => {
    const lookup = vi.fn();

    expect(await resolvePublic('93.184.216.34', { allowLoopback: false, lookup })).toEqual({
      outcome: 'public',
      addresses: [{ address: '93.184.216.34', family: 4 }],
    });
    expect(await resolvePublic('169.254.169.254', { allowLoopback: false, lookup })).toEqual({ outcome: 'forbidden' });
    expect(await resolvePublic('::1', { allowLoopback: false, lookup })).toEqual({ outcome: 'forbidden' });
    expect(lookup).not.toHaveBeenCalled();
  });

  test('returns unresolved when the lookup rejects or finds no address', async () => {
    const failing = { allowLoopback: false, lookup: () => Promise.reject(new Error('ENOTFOUND')) };

    expect(await resolvePublic('nowhere.example', failing)).toEqual({ outcome: 'unresolved' });
    expect(await resolvePublic('nowhere.example', answers())).toEqual({ outcome: 'unresolved' });
  });

  test('returns unresolved when the lookup does not answer within timeoutMs', async () => {
    const silent = { allowLoopback: false, timeoutMs: 20, lookup: () => new Promise<never>(() => {}) };

    expect(await resolvePublic('slow.example', silent)).toEqual({ outcome: 'unresolved' });
  });

  test('resolves localhost with the resolver of the system: public with allowLoopback, forbidden without it', async () => {
    expect(await resolvePublic('localhost', { allowLoopback: true })).toMatchObject({ outcome: 'public' });
    expect(await resolvePublic('localhost', { allowLoopback: false })).toEqual({ outcome: 'forbidden' });
  });
});
