import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Rendered } from '../../lambdas/domain/deliveries/profile.ts';
import { createSecret } from '../../lambdas/domain/webhooks/secret.ts';
import { profileNames, profileOf } from '../../lambdas/profiles/index.ts';
import { publishedPem } from '../helpers/receivers/published-key.ts';
import { renderInput } from '../helpers/render-input.ts';
import { drawAccountKeys, materialOf } from '../helpers/signing-material.ts';
import { type Argument, codeBlocks, hasPythonCryptography, snippetRunners } from '../helpers/snippets.ts';

const [keys, otherKeys] = [drawAccountKeys(), drawAccountKeys()];
const pemOf = (from: typeof keys, alg: 'ES256' | 'RS256') => publishedPem(from.published, alg);
const [secret, otherSecret] = [createSecret(), createSecret()];

const render = (name: string, options: object, sentAt = new Date()): Rendered => {
  const profile = profileOf(name);
  const chosen = profile.options.parse(options);
  return profile.render(renderInput(), materialOf(keys, profile, chosen, [secret]), chosen, sentAt);
};
const bytes = ({ body }: Rendered) => Buffer.from(body);
const tampered = ({ body }: Rendered) => Buffer.from(body.replace('tsk_1', 'tsk_2'));

/** Calls of a `verify` that takes headers, raw body and a secret or key, with the answers that it must give. */
const byHeaders = (name: string, options: object, key: string, wrongKey: string, isDated: boolean) => {
  const [request, old] = [render(name, options), render(name, options, new Date(Date.now() - 301_000))];
  const refused: Argument[][] = [
    [request.headers, tampered(request), key],
    [request.headers, bytes(request), wrongKey],
    ...(isDated ? [[old.headers, bytes(old), key]] : []),
  ];
  return { accepted: [request.headers, bytes(request), key], refused, answer: true as unknown, refusal: false };
};

const signedPayload = () => {
  const request = render('passcreator', { signPayload: true });
  const tamperedBody = Buffer.from(request.body.replaceAll('tsk_1', 'tsk_2'));
  return {
    accepted: [bytes(request), pemOf(keys, 'ES256')],
    refused: [
      [tamperedBody, pemOf(keys, 'ES256')],
      [bytes(request), pemOf(otherKeys, 'ES256')],
    ],
    answer: JSON.parse(render('passcreator', {}).body) as unknown,
    refusal: null,
  };
};

const secretInUrl = () => ({
  accepted: ['/hook?a=b&secret=s3cr%C3%B8t', 's3crøt'],
  refused: [
    ['/hook?secret=other', 's3crøt'],
    ['/hook', 's3crøt'],
  ],
  answer: true as unknown,
  refusal: false,
});

const stamped = { signed_content: 'timestamp_body' };
const digital = { ...stamped, mechanism: 'digital' };
const ecdsa = { ...digital, algorithm: 'ecdsa-p256-sha256' };
const rsaKeys = [pemOf(keys, 'RS256'), pemOf(otherKeys, 'RS256')] as const;
const ecKeys = [pemOf(keys, 'ES256'), pemOf(otherKeys, 'ES256')] as const;

/** The code blocks of each page by position, with the calls that they must answer. */
const snippets = [
  {
    page: 'passpost',
    language: 'js',
    block: 0,
    request: 'a request signed with the secret',
    calls: () => byHeaders('passpost', {}, secret, otherSecret, false),
  },
  {
    page: 'passpost',
    language: 'python',
    block: 0,
    request: 'a request signed with the secret',
    calls: () => byHeaders('passpost', {}, secret, otherSecret, false),
  },
  {
    page: 'standard',
    language: 'js',
    block: 0,
    request: 'a request signed with the secret',
    calls: () => byHeaders('standard', {}, secret, otherSecret, true),
  },
  {
    page: 'standard',
    language: 'python',
    block: 0,
    request: 'a request signed with the secret',
    calls: () => byHeaders('standard', {}, secret, otherSecret, true),
  },
  { page: 'postmen', language: 'js', block: 0, request: 'a URL with the right secret', calls: secretInUrl },
  { page: 'postmen', language: 'python', block: 0, request: 'a URL with the right secret', calls: secretInUrl },
  {
    page: 'passmint',
    language: 'js',
    block: 0,
    request: 'a request signed with the secret',
    calls: () => byHeaders('passmint', {}, secret, otherSecret, true),
  },
  {
    page: 'passmint',
    language: 'python',
    block: 0,
    request: 'a request signed with the secret',
    calls: () => byHeaders('passmint', {}, secret, otherSecret, true),
  },
  { page: 'passcreator', language: 'js', block: 0, request: 'a body with a signature in it', calls: signedPayload },
  {
    page: 'passcreator',
    language: 'python',
    block: 0,
    request: 'a body with a signature in it',
    calls: signedPayload,
    needsCryptography: true,
  },
  {
    page: 'inpost',
    language: 'js',
    block: 0,
    request: 'a request signed with the secret',
    calls: () => byHeaders('inpost', stamped, secret, otherSecret, true),
  },
  {
    page: 'inpost',
    language: 'python',
    block: 0,
    request: 'a request signed with the secret',
    calls: () => byHeaders('inpost', stamped, secret, otherSecret, true),
  },
  {
    page: 'inpost',
    language: 'js',
    block: 1,
    request: 'a request with an RSA signature',
    calls: () => byHeaders('inpost', digital, ...rsaKeys, true),
  },
  {
    page: 'inpost',
    language: 'js',
    block: 1,
    request: 'a request with an ECDSA signature',
    calls: () => byHeaders('inpost', ecdsa, ...ecKeys, true),
  },
  {
    page: 'inpost',
    language: 'python',
    block: 1,
    request: 'a request with an RSA signature',
    calls: () => byHeaders('inpost', digital, ...rsaKeys, false),
    needsCryptography: true,
  },
] as const;

describe('docs/profiles', () => {
  it('has a page for each profile', () => {
    const pages = readdirSync(new URL('../../docs/profiles', import.meta.url)).map((file) => file.replace('.md', ''));

    expect(pages).toEqual(expect.arrayContaining([...profileNames]));
  });

  it.each(profileNames)('the HTTP example on the page of %s has exactly the headers that the profile sends', (name) => {
    const sent = Object.keys(render(name, {}).headers);

    const [request = ''] = codeBlocks(`profiles/${name}.md`, 'http');
    const shown = [...request.matchAll(/^([a-z0-9-]+): /gm)].map(([, header]) => header);

    expect(shown.toSorted()).toEqual(sent.toSorted());
  });

  it.for(snippets)(
    '$language block $block of the page $page accepts $request and refuses wrong ones',
    (snippet, { skip }) => {
      const { page, language, block, calls } = snippet;
      const { accepted, refused, answer, refusal } = calls();
      skip('needsCryptography' in snippet && !hasPythonCryptography, "Python's cryptography is not installed");

      const answers = snippetRunners[language](codeBlocks(`profiles/${page}.md`, language)[block] ?? '', [
        accepted,
        ...refused,
      ]);

      expect(answers).toEqual([answer, ...refused.map(() => refusal)]);
    },
  );

  it('MT-6 MT reading 5, IP reading 9: the verifiers of passmint and inpost refuse a timestamp 310 s in the future', () => {
    const ahead = new Date(Date.now() + 310_000);
    const passmint = render('passmint', {}, ahead);
    const inpost = render('inpost', stamped, ahead);

    const verdicts = (['js', 'python'] as const).flatMap((language) =>
      [passmint, inpost].flatMap((request, i) =>
        snippetRunners[language](codeBlocks(`profiles/${i === 0 ? 'passmint' : 'inpost'}.md`, language)[0] ?? '', [
          [request.headers, bytes(request), secret],
        ]),
      ),
    );

    expect(verdicts).toEqual([false, false, false, false]);
  });

  it('these tests run every JavaScript and Python block of every profile page', () => {
    const tested = new Set(snippets.map(({ page, language, block }) => `${page} ${language} ${block}`));

    const all = profileNames.flatMap((name) =>
      (['js', 'python'] as const).flatMap((language) =>
        codeBlocks(`profiles/${name}.md`, language).map((_, block) => `${name} ${language} ${block}`),
      ),
    );

    expect(all.filter((block) => !tested.has(block))).toEqual([]);
  });
});
