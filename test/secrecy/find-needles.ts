export interface Needle {
  readonly kind: NeedleKind;
  readonly text: string;
}

export const needleKinds = [
  'access token',
  'API key',
  'event body',
  'front door',
  'header value',
  'password',
  'private key',
  'query string',
  'signature',
  'webhook secret',
] as const;
export type NeedleKind = (typeof needleKinds)[number];

const START = 4;

const startHash = (text: string, at: number): number =>
  (text.charCodeAt(at) ^
    (text.charCodeAt(at + 1) << 5) ^
    (text.charCodeAt(at + 2) << 10) ^
    (text.charCodeAt(at + 3) << 15)) &
  0xf_ffff;

/** Returns a function that finds all needles in a text. One pass over the text, because a run has thousands of both. */
export const createFinder = (needles: readonly Needle[]): ((text: string) => Needle[]) => {
  const mayStart = new Uint8Array(0x10_0000);
  const byStart = new Map<string, Needle[]>();
  for (const needle of needles) {
    mayStart[startHash(needle.text, 0)] = 1;
    const start = needle.text.slice(0, START);
    const sameStart = byStart.get(start);
    if (sameStart) sameStart.push(needle);
    else byStart.set(start, [needle]);
  }
  return (text) => {
    const found = new Set<Needle>();
    for (let at = 0; at + START <= text.length; at++) {
      if (mayStart[startHash(text, at)] !== 1) continue;
      for (const needle of byStart.get(text.slice(at, at + START)) ?? []) {
        if (text.startsWith(needle.text, at)) found.add(needle);
      }
    }
    return [...found];
  };
};
