import { describe, expect, it } from 'vitest';
import type { Profile, Rendered, RenderInput } from '../../lambdas/domain/deliveries/profile.ts';
import { waitsSchema } from '../../lambdas/domain/deliveries/retry-schedule.ts';
import { builtInEventType } from '../../lambdas/domain/events/built-in-types.ts';
import { createKeyring, publicKeysOf, signingKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import { createSecret } from '../../lambdas/domain/webhooks/secret.ts';
import { renderInput } from './render-input.ts';

/** A receiver's own code. It returns false or throws if it refuses the request. */
export type Verify = (request: Rendered, secret: string) => boolean;
/** The code of a receiver that verifies with the deployment's published keys instead of a secret. */
export type VerifyByKey = (
  request: Rendered,
  publishedKeys: ReturnType<typeof publicKeysOf>['jwks']['keys'],
) => boolean;

export interface ProfileCase<Options> {
  readonly profile: Profile<Options>;
  /** Every combination of options to test. Most profiles have one combination, without options. */
  readonly options: readonly Options[];
  /** Two secrets in the profile's form: the newest and the previous one. */
  readonly secrets: readonly [string, string];
  readonly receivers: Readonly<Record<string, Verify>>;
  readonly keyReceivers?: Readonly<Record<string, VerifyByKey>>;
  /** True if signatures are random (ECDSA), so that no two requests are equal. */
  readonly isRandomised?: boolean;
}

const keyring = createKeyring();
const signingKeys = signingKeysOf(keyring, 0);
const publishedKeys = publicKeysOf(keyring).jwks.keys;

const accepts = (verify: () => boolean): boolean => {
  try {
    return verify();
  } catch {
    return false;
  }
};

/** The same request with one character of the body changed. */
const tampered = ({ headers, body }: Rendered): Rendered => ({ headers, body: `${body.slice(0, -1)} ` });

/** Tests the rules that hold for every profile. */
export const testProfile = <Options>(given: ProfileCase<Options>): void => {
  const { profile, secrets, receivers, keyReceivers = {}, isRandomised = false } = given;
  const [newest, previous] = secrets;

  describe.each(given.options)('every profile: with options %j', (options) => {
    const render = (using: readonly [string, ...string[]], about: RenderInput = renderInput(), sentAt = new Date()) =>
      profile.render(about, { ...signingKeys, secrets: using }, options, sentAt);

    it.each(Object.entries(receivers))('is accepted by %s with the newest secret', (_name, verify) => {
      const request = render([newest]);

      expect(verify(request, newest)).toBe(true);
    });

    it.each(Object.entries(receivers))('is refused by %s with another secret', (_name, verify) => {
      const request = render([newest]);

      expect(accepts(() => verify(request, previous))).toBe(false);
    });

    it.each(Object.entries(receivers))('is refused by %s with one byte changed', (_name, verify) => {
      const request = tampered(render([newest]));

      expect(accepts(() => verify(request, newest))).toBe(false);
    });

    it.each(Object.entries(receivers))(
      'is accepted by %s with the right secrets during a rotation',
      (_name, verify) => {
        const inOverlap = profile.rotation === 'overlap';

        const request = render(inOverlap ? [newest, previous] : [previous]);

        expect(accepts(() => verify(request, newest))).toBe(inOverlap);
        expect(verify(request, previous)).toBe(true);
      },
    );

    it.each(Object.entries(keyReceivers))('is accepted by %s with the published keys', (_name, verify) => {
      const request = render([newest]);

      expect(verify(request, publishedKeys)).toBe(true);
      expect(accepts(() => verify(tampered(request), publishedKeys))).toBe(false);
      expect(accepts(() => verify(request, publicKeysOf(createKeyring()).jwks.keys))).toBe(false);
    });

    it('renders the same bytes from the same arguments', () => {
      const sentAt = new Date();

      const [first, second] = [render([newest], renderInput(), sentAt), render([newest], renderInput(), sentAt)];

      if (isRandomised) expect(Object.keys(first.headers)).toEqual(Object.keys(second.headers));
      else expect(first).toEqual(second);
    });

    it('renders a JSON body, and headers with legal values and own prefixes', () => {
      const { headers, body } = render([newest]);

      expect(() => JSON.parse(body)).not.toThrow();
      expect(headers['content-type']).toBe('application/json');
      for (const [name, value] of Object.entries(headers)) {
        expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
        const isOwn = profile.headerPrefixes.some((prefix) => name.startsWith(prefix));
        expect(isOwn || ['content-type', 'user-agent'].includes(name)).toBe(true);
        expect(value).toMatch(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/);
      }
    });
  });

  describe('every profile', () => {
    it('has a schedule of positive whole seconds', () => {
      expect(waitsSchema.safeParse(profile.schedule).success).toBe(true);
      for (const wait of profile.schedule) expect(wait).toBeGreaterThan(0);
    });

    it('accepts 200 as success, and no status outside 2xx', () => {
      const delivered = Array.from({ length: 500 }, (_, i) => i + 100).filter(
        (status) => profile.classify(status) === 'delivered',
      );

      expect(delivered).toContain(200);
      expect(delivered.filter((status) => status < 200 || status > 299)).toEqual([]);
    });

    it('* means built-in event types that are not operational', () => {
      expect(profile.events.length).toBeGreaterThan(0);
      for (const type of profile.events) {
        if (type !== '*') expect(builtInEventType(type)?.isOperational).toBe(false);
      }
    });

    it('names its header prefixes in lower case, each with a final hyphen', () => {
      for (const prefix of profile.headerPrefixes) expect(prefix).toMatch(/^[a-z][a-z0-9-]*-$/);
    });

    it('has versions that are dates, newest first', () => {
      expect(profile.apiVersions.length).toBeGreaterThan(0);
      for (const version of profile.apiVersions) expect(version).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      expect([...profile.apiVersions]).toEqual([...profile.apiVersions].sort().reverse());
    });

    it('accepts generated secrets and the secrets of this test', () => {
      for (const secret of [createSecret(), newest, previous]) {
        expect(profile.secret.safeParse(secret).success).toBe(true);
      }
      expect(profile.secret.safeParse('').success).toBe(false);
    });

    it('accepts empty options and refuses an unknown option', () => {
      expect(profile.options.safeParse({}).success).toBe(true);
      expect(profile.options.safeParse({ no_such_option: true }).success).toBe(false);
    });
  });
};
