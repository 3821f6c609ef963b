import { createContext, Script } from 'node:vm';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import type { SchemaChecker } from '../../domain/events/event-type.ts';
import type { FieldError } from '../../domain/foundation/errors.ts';
import { type BoundedAjv, createBoundedAjv, MAX_FAULTS, membersOf } from './bounded-ajv.ts';

/** The maximum number of compiled schemas in memory. The schema that was compiled first is removed first. */
const MAX_COMPILED = 100;
/**
 * The maximum number of characters of a value for which the checker collects every fault. A longer value gets only its
 * first fault, because each fault has its own path: a hundred thousand faults below one long name would fill the
 * memory.
 */
const MAX_THOROUGH_LENGTH = 16 * 1024;

/** Milliseconds that the compilation of a schema may take. */
const COMPILE_LIMIT_MS = 5000;
/**
 * Milliseconds that one check of a schema or of a value may take. A regular expression such as `(a+)+$` may backtrack
 * without end.
 */
const CHECK_LIMIT_MS = 1000;

const runScript = new Script('run()');
/**
 * The `node:vm` context in which all time-limited functions run. They share one context, because creating a context
 * takes milliseconds, and a run leaves no data in the context.
 */
let context: { run: () => void } | undefined;

/** Runs a function and throws when it takes longer than `ms`. The limit also stops a running regular expression. */
const runWithin = <T>(ms: number, run: () => T): T => {
  context ??= createContext({ run: () => undefined }) as { run: () => void };
  let result: T | undefined;
  context.run = () => {
    result = run();
  };
  try {
    runScript.runInContext(context, { timeout: ms });
    return result as T;
  } finally {
    context.run = () => undefined;
  }
};

/** Returns the segments of a JSON Pointer, unescaped. https://www.rfc-editor.org/rfc/rfc6901 */
const pointerToPath = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

const errorToFault = (error: ErrorObject, root: string): FieldError => {
  const { instancePath, keyword, message } = error;
  return {
    path: [root, ...pointerToPath(instancePath), ...membersOf(error)].join('.'),
    code: keyword === 'required' ? 'required' : 'schema',
    message: message ?? 'does not match the schema',
  };
};

const faultsOf = (errors: readonly ErrorObject[], root: string): FieldError[] => {
  const faults = errors.map((error) => errorToFault(error, root));
  // Reports only the first of several faults with the same path, because the first fault is the clearest.
  const firstByPath = new Map(faults.toReversed().map((fault) => [fault.path, fault]));
  return faults.filter((fault) => firstByPath.get(fault.path) === fault).slice(0, MAX_FAULTS);
};

/**
 * Checks a value within `ms` milliseconds and returns the faults; empty = valid. Returns null if the check stopped before
 * it knew the faults. Throws when the time is over.
 */
const checkWithin = (
  ms: number,
  { errorsOf, forget }: BoundedAjv,
  isValid: (value: unknown) => unknown,
  read: () => unknown,
  root: string,
): FieldError[] | null => {
  try {
    return runWithin(ms, () => {
      const errors = errorsOf(isValid, read());
      return errors && faultsOf(errors, root);
    });
  } finally {
    // The time limit ends the check without its own `finally` blocks.
    forget();
  }
};

/** A compiled schema. */
interface Compiled {
  readonly bounded: BoundedAjv;
  readonly check: ValidateFunction;
}

/**
 * Creates a checker for JSON Schema 2020-12. The checker checks schemas, and values against schemas. Schemas are
 * untrusted input: everything whose duration depends on a schema or value runs within a time limit.
 */
export const createSchemaChecker = (): SchemaChecker => {
  const compiled = new Map<string, Compiled>();

  const compile = async (schemaJson: string, isThorough: boolean, ms: () => number): Promise<Compiled> => {
    const name = `${isThorough} ${schemaJson}`;
    const cached = compiled.get(name);
    if (cached) return cached;
    const bounded = await createBoundedAjv(schemaJson, isThorough);
    const check = runWithin(ms(), () => bounded.ajv.compile(JSON.parse(schemaJson)));
    const [oldest] = compiled.keys();
    if (oldest !== undefined && compiled.size >= MAX_COMPILED) compiled.delete(oldest);
    compiled.set(name, { bounded, check });
    return { bounded, check };
  };

  /** Checks a schema against the JSON Schema of schemas. Returns the faults, or null if there are too many. */
  const faultsOfMetaSchema = async (schema: object, root: string, isThorough: boolean) => {
    const bounded = await createBoundedAjv(null, isThorough);
    const isSchema = () => bounded.ajv.validateSchema(schema);
    return checkWithin(CHECK_LIMIT_MS, bounded, isSchema, () => schema, root);
  };

  return {
    async faultsOfSchema(schema, root) {
      try {
        const schemaJson = JSON.stringify(schema);
        const first = (await faultsOfMetaSchema(schema as object, root, false)) ?? [];
        if (first.length > 0) {
          const isThorough = schemaJson.length <= MAX_THOROUGH_LENGTH;
          return (isThorough && (await faultsOfMetaSchema(schema as object, root, true))) || first;
        }
        const { bounded, check } = await compile(schemaJson, true, () => COMPILE_LIMIT_MS);
        // Refuses an asynchronous check, because it returns a promise, which would count as valid.
        if ('$async' in check) throw new Error('$async is not supported');
        // Runs one check within the time limit, because a schema that references itself without a condition would never
        // end.
        checkWithin(CHECK_LIMIT_MS, bounded, check, () => ({}), root);
        return [];
      } catch (error) {
        const message = error instanceof Error ? error.message.slice(0, 300) : 'is not a JSON Schema (2020-12)';
        return [{ path: root, code: 'schema', message }];
      }
    },

    async faultsOfValue(schemaJson, valueJson, root, time) {
      const startedMs = performance.now();
      const leftMs = (atMost: number): number =>
        Math.max(1, Math.min(atMost, Math.floor(time.leftMs - (performance.now() - startedMs))));
      /** Returns the faults, or null if there are too many. Throws when the time is over. */
      const faults = async (isThorough: boolean): Promise<readonly FieldError[] | null> => {
        const { bounded, check } = await compile(schemaJson, isThorough, () => leftMs(COMPILE_LIMIT_MS));
        return checkWithin(leftMs(CHECK_LIMIT_MS), bounded, check, () => JSON.parse(valueJson), root);
      };
      try {
        const first = (await faults(false)) ?? [];
        if (first.length === 0 || valueJson.length > MAX_THOROUGH_LENGTH) return first;
        return (await faults(true).catch(() => null)) ?? first;
      } catch {
        return [{ path: root, code: 'too_complex', message: 'takes too long to check against the schema' }];
      } finally {
        time.leftMs -= performance.now() - startedMs;
      }
    },
  };
};
