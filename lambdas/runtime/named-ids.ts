import { nounByIdPrefix } from '../domain/foundation/resources.ts';

const PREFIXES = Object.keys(nounByIdPrefix).join('|');
const ID = new RegExp(`^(${PREFIXES})_[0-9A-HJKMNP-TV-Z]{26}([0-9A-HJKMNP-TV-Z]{26})?$`);
const NAME = /^id$|_ids?$/;

const idsOf = (thing: unknown): string[] =>
  typeof thing !== 'object' || thing === null
    ? []
    : Object.entries(thing).flatMap(([name, value]) =>
        NAME.test(name) ? [value].flat().filter((id): id is string => typeof id === 'string' && ID.test(id)) : [],
      );

/** The ids that a call named in its path and got in its answer, each once: for its log line, which shows nothing else of them. */
export const namedIds = (params: object, answer?: unknown): readonly string[] => {
  const { data } = (answer ?? {}) as { data?: unknown };
  const things = [params, answer, ...(Array.isArray(data) ? (data as unknown[]) : [])];
  return [...new Set(things.flatMap(idsOf))];
};
