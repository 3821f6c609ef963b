import { createContext, Script } from 'node:vm';
import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import type { SchemaChecker } from '../../domain/events/event-type.ts';
import type { FieldError } from '../../domain/foundation/errors.ts';

/** The maximum number of compiled schemas in memory. The schema that was compiled first is removed first. */
const MAX_COMPILED = 100;
const MAX_FAULTS = 20;
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
  runScript.runInContext(context, { timeout: ms });
  return result as T;
};

/** Returns the segments of a JSON Pointer, unescaped. https://www.rfc-editor.org/rfc/rfc6901 */
const pointerToPath = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

/** Parameters of an Ajv error that name the faulty member of an object. */
const MEMBER_PARAMS = ['missingProperty', 'additionalProperty', 'unevaluatedProperty', 'propertyName'];

const errorToFault = ({ instancePath, keyword, params, message }: ErrorObject, root: string): FieldError => {
  const member = MEMBER_PARAMS.flatMap((name) => (typeof params[name] === 'string' ? [params[name]] : []));
  const path = [root, ...pointerToPath(instancePath), ...member].join('.');
  return {
    path,
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
 * Creates an Ajv instance. Loads Ajv on first use, because most accounts have no schema and Ajv takes longer to load
 * than all other modules together.
 */
const createAjv = async (allErrors: boolean): Promise<Ajv2020> => {
  // Takes the default export: the bundle holds Ajv as a separate CommonJS file, which has no other export.
  const { default: ajv } = await import('ajv/dist/2020.js');
  // Creates one Ajv instance for each schema, so that equal `$id`s do not collide and no schema can reference another
  // schema.
  return new ajv.Ajv2020({
    strict: false,
    logger: false,
    validateFormats: false,
    validateSchema: false,
    allErrors,
    ownProperties: true,
  });
};

/**
 * Creates a checker for JSON Schema 2020-12. The checker checks schemas, and values against schemas. Schemas are
 * untrusted input.
 */
export const createSchemaChecker = (): SchemaChecker => {
  const compiled = new Map<string, ValidateFunction>();

  const compile = async (schemaJson: string, isThorough: boolean, ms: number): Promise<ValidateFunction> => {
    const name = `${isThorough} ${schemaJson}`;
    const cached = compiled.get(name);
    if (cached) return cached;
    const ajv = await createAjv(isThorough);
    const check = runWithin(ms, () => ajv.compile(JSON.parse(schemaJson)));
    const [oldest] = compiled.keys();
    if (oldest !== undefined && compiled.size >= MAX_COMPILED) compiled.delete(oldest);
    compiled.set(name, check);
    return check;
  };

  return {
    async faultsOfSchema(schema, root) {
      try {
        const schemaJson = JSON.stringify(schema);
        const ajv = await createAjv(schemaJson.length <= MAX_THOROUGH_LENGTH);
        const isSchema = runWithin(CHECK_LIMIT_MS, () => ajv.validateSchema(schema as object));
        if (!isSchema) return faultsOf(ajv.errors ?? [], root);
        const check = await compile(schemaJson, true, COMPILE_LIMIT_MS);
        // Refuses an asynchronous check, because it returns a promise, which would count as valid.
        if ('$async' in check) throw new Error('$async is not supported');
        // Runs one check within the time limit, because a schema that references itself without a condition would never
        // end.
        runWithin(CHECK_LIMIT_MS, () => check({}));
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
      try {
        const check = await compile(schemaJson, valueJson.length <= MAX_THOROUGH_LENGTH, leftMs(COMPILE_LIMIT_MS));
        const value: unknown = JSON.parse(valueJson);
        return runWithin(leftMs(CHECK_LIMIT_MS), () => check(value)) ? [] : faultsOf(check.errors ?? [], root);
      } catch {
        return [{ path: root, code: 'too_complex', message: 'takes too long to check against the schema' }];
      } finally {
        time.leftMs -= performance.now() - startedMs;
      }
    },
  };
};
