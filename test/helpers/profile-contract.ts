import { describe, expect, it } from 'vitest';
import type { Profile, Rendered, RenderInput } from '../../lambdas/domain/deliveries/profile.ts';
import { waitsSchema } from '../../lambdas/domain/deliveries/retry-schedule.ts';
import { builtInEventType } from '../../lambdas/domain/events/built-in-types.ts';
import { createSecret } from '../../lambdas/domain/webhooks/secret.ts';
import { renderInput } from './render-input.ts';
import { drawAccountKeys, materialOf, type PublishedKey } from './signing-material.ts';

/** A receiver's own code. It returns false or throws if it refuses the request. */
export type Verify = (request: Rendered, secret: string) => boolean;
/** The code of a receiver that verifies with published keys of the account or the webhook instead of a secret. */
export type VerifyByKey = (request: Rendered, publishedKeys: readonly PublishedKey[]) => boolean;

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

const accountKeys = drawAccountKeys();
const otherKeys = drawAccountKeys();

const accepts = (verify: () => boolean): boolean => {
  try {
    return verify();
  } catch {
    return false;
  }
};

/** The request with another last character of the body. */
const tampered = ({ headers, body }: Rendered): Rendered => ({ headers, body: `${body.slice(0, -1)} ` });

/** Options for a title: the mechanism of a profile that has one, otherwise every option. */
const describeOptions = (options: unknown): string => {
  const entries = Object.entries(options as Record<string, unknown>);
  const shown = entries.filter(([name]) => name === 'mechanism');
  const text = (shown.length > 0 ? shown : entries).map(([name, value]) => `${name} ${value}`).join(', ');
  return text || 'no options';
};

/** Defines the tests that every profile must pass. Call it inside a `describe` with the name of the profile. */
export const testProfile = <Options>(given: ProfileCase<Options>): void => {
  const { profile, secrets, receivers, keyReceivers = {}, isRandomised = false } = given;
  const [newest, previous] = secrets;

  const cases = given.options.map((options) => [describeOptions(options), options] as const);
  describe.each(cases)('a request under the webhook options: %s', (_description, options) => {
    const render = (using: readonly [string, ...string[]], about: RenderInput = renderInput(), sentAt = new Date()) =>
      profile.render(about, materialOf(accountKeys, profile, options, using), options, sentAt);

    it.each(Object.entries(receivers))(
      'that is signed with only the newest secret is accepted by %s that knows this secret',
      (_name, verify) => {
        const request = render([newest]);

        expect(verify(request, newest)).toBe(true);
      },
    );

    it.each(Object.entries(receivers))(
      'that is signed with only the newest secret is refused by %s that knows only the previous secret',
      (_name, verify) => {
        const request = render([newest]);

        expect(accepts(() => verify(request, previous))).toBe(false);
      },
    );

    it.each(Object.entries(receivers))('whose body has one changed character is refused by %s', (_name, verify) => {
      const request = tampered(render([newest]));

      expect(accepts(() => verify(request, newest))).toBe(false);
    });

    it.each(Object.entries(receivers))(
      profile.rotation === 'overlap'
        ? 'that is signed with the newest and the previous secret, as in a rotation, is accepted by %s with either of them'
        : 'that is signed with only the previous secret, as in a rotation, is accepted by %s with this secret, and refused with the newest',
      (_name, verify) => {
        const inOverlap = profile.rotation === 'overlap';

        const request = render(inOverlap ? [newest, previous] : [previous]);

        expect(accepts(() => verify(request, newest))).toBe(inOverlap);
        expect(verify(request, previous)).toBe(true);
      },
    );

    it.each(Object.entries(keyReceivers))(
      'is accepted by %s with the published keys, and refused with a changed body or with the keys of another account',
      (_name, verify) => {
        const request = render([newest]);

        expect(verify(request, accountKeys.published)).toBe(true);
        expect(accepts(() => verify(tampered(request), accountKeys.published))).toBe(false);
        expect(accepts(() => verify(request, otherKeys.published))).toBe(false);
      },
    );

    const equalPart = isRandomised ? 'header names' : 'headers and body';
    it(`has the same ${equalPart} if it is rendered twice from the same arguments`, () => {
      const sentAt = new Date();

      const [first, second] = [render([newest], renderInput(), sentAt), render([newest], renderInput(), sentAt)];

      if (isRandomised) expect(Object.keys(first.headers)).toEqual(Object.keys(second.headers));
      else expect(first).toEqual(second);
    });

    it('has a JSON body, and headers with printable ASCII values whose names are content-type, user-agent or begin with a prefix of the profile', () => {
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

  describe('with any options', () => {
    it('has a schedule that `waitsSchema` accepts, and every wait is above 0 s', () => {
      expect(waitsSchema.safeParse(profile.schedule).success).toBe(true);
      for (const wait of profile.schedule) expect(wait).toBeGreaterThan(0);
    });

    it('classifies 200 as delivered, and no status from 100 to 599 outside 2xx', () => {
      const delivered = Array.from({ length: 500 }, (_, i) => i + 100).filter(
        (status) => profile.classify(status) === 'delivered',
      );

      expect(delivered).toContain(200);
      expect(delivered.filter((status) => status < 200 || status > 299)).toEqual([]);
    });

    it('has at least one event type, and each is * or a built-in type that is not operational', () => {
      expect(profile.events.length).toBeGreaterThan(0);
      for (const type of profile.events) {
        if (type !== '*') expect(builtInEventType(type)?.isOperational).toBe(false);
      }
    });

    it('lists only prefixes of header names that are in lower case and end with a hyphen', () => {
      for (const prefix of profile.headerPrefixes) expect(prefix).toMatch(/^[a-z][a-z0-9-]*-$/);
    });

    it('has at least one API version, and all are dates, newest first', () => {
      expect(profile.apiVersions.length).toBeGreaterThan(0);
      for (const version of profile.apiVersions) expect(version).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      expect([...profile.apiVersions]).toEqual([...profile.apiVersions].sort().reverse());
    });

    it('accepts a generated secret and both secrets of this test, and refuses an empty secret', () => {
      for (const secret of [createSecret(), newest, previous]) {
        expect(profile.secret.safeParse(secret).success).toBe(true);
      }
      expect(profile.secret.safeParse('').success).toBe(false);
    });

    it('accepts the options {} and refuses the unknown option no_such_option', () => {
      expect(profile.options.safeParse({}).success).toBe(true);
      expect(profile.options.safeParse({ no_such_option: true }).success).toBe(false);
    });
  });
};
