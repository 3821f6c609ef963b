import { nounByIdPrefix } from '../domain/foundation/resources.ts';

const PREFIXES = Object.keys(nounByIdPrefix).join('|');
const ID = new RegExp(`^(${PREFIXES})_[0-9A-HJKMNP-TV-Z]{26}([0-9A-HJKMNP-TV-Z]{26})?$`);
const NAME = /^id$|_ids?$/;

const idsOf = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, member]) =>
        NAME.test(name) ? [member].flat().filter((id): id is string => typeof id === 'string' && ID.test(id)) : [],
      );

/**
 * Returns the ids in the path parameters and the answer of a call, each id once. The log line of the request shows
 * these ids and nothing else of path parameters and answer.
 */
export const namedIds = (params: object, answer?: unknown): readonly string[] => {
  const { data } = (answer ?? {}) as { data?: unknown };
  const objects = [params, answer, ...(Array.isArray(data) ? (data as unknown[]) : [])];
  return [...new Set(objects.flatMap(idsOf))];
};
