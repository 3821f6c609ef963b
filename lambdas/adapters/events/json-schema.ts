import { createContext, Script } from 'node:vm';
import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import type { SchemaChecker } from '../../domain/events/event-type.ts';
import type { FieldError } from '../../domain/foundation/errors.ts';

/** So many compiled schemas are kept; the one that was made first goes first. */
const MOST_KEPT = 100;
const MOST_FAULTS = 20;
/**
 * Of a value up to here every fault is looked for, of a longer one the first alone: each has a path of its own, and a
 * hundred thousand of them, through one long name, would fill the memory.
 */
const LONGEST_THOROUGH = 16 * 1024;

/** Where the loop runs in an engine that backtracks, only the clock tells: `(a+)+$` in a pattern would never end. */
const COMPILING_MS = 5000;
const CHECKING_MS = 1000;

const call = new Script('run()');
/** One for all: making it takes milliseconds, and nothing of ours or anybody's stays in it. */
let clocked: { run: () => void } | undefined;

/** Runs something that must end in time; a regular expression, too, is stopped on its way. */
const within = <T>(ms: number, run: () => T): T => {
  clocked ??= createContext({ run: () => undefined }) as { run: () => void };
  let result: T | undefined;
  clocked.run = () => {
    result = run();
  };
  call.runInContext(clocked, { timeout: ms });
  return result as T;
};

/** https://www.rfc-editor.org/rfc/rfc6901 */
const pointerToPath = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

const MEMBERS = ['missingProperty', 'additionalProperty', 'unevaluatedProperty', 'propertyName'];

const errorToFault = ({ instancePath, keyword, params, message }: ErrorObject, root: string): FieldError => {
  const member = MEMBERS.flatMap((name) => (typeof params[name] === 'string' ? [params[name]] : []));
  const path = [root, ...pointerToPath(instancePath), ...member].join('.');
  return {
    path,
    code: keyword === 'required' ? 'required' : 'schema',
    message: message ?? 'does not match the schema',
  };
};

const faultsOf = (errors: readonly ErrorObject[], root: string): FieldError[] => {
  const faults = errors.map((error) => errorToFault(error, root));
  // Of several at one place the first is the plainest.
  const first = new Map(faults.toReversed().map((fault) => [fault.path, fault]));
  return faults.filter((fault) => first.get(fault.path) === fault).slice(0, MOST_FAULTS);
};

/** Loaded when first needed: most accounts have no schema, and it takes longer than all else that a function loads. */
const createAjv = async (allErrors: boolean): Promise<Ajv2020> => {
  // A file of its own in the bundle, where CommonJS has no other export.
  const { default: ajv } = await import('ajv/dist/2020.js');
  // An instance each: what one schema calls itself is no business of another's. No reference leads out of it.
  return new ajv.Ajv2020({
    strict: false,
    logger: false,
    validateFormats: false,
    validateSchema: false,
    allErrors,
    ownProperties: true,
  });
};

/** JSON Schema 2020-12, for schemas that anybody may have written. */
export const createSchemaChecker = (): SchemaChecker => {
  const compiled = new Map<string, ValidateFunction>();

  const compile = async (schemaJson: string, isThorough: boolean, ms: number): Promise<ValidateFunction> => {
    const name = `${isThorough} ${schemaJson}`;
    const known = compiled.get(name);
    if (known) return known;
    const ajv = await createAjv(isThorough);
    const check = within(ms, () => ajv.compile(JSON.parse(schemaJson)));
    const [oldest] = compiled.keys();
    if (oldest !== undefined && compiled.size >= MOST_KEPT) compiled.delete(oldest);
    compiled.set(name, check);
    return check;
  };

  return {
    async faultsOfSchema(schema, root) {
      try {
        const schemaJson = JSON.stringify(schema);
        const ajv = await createAjv(schemaJson.length <= LONGEST_THOROUGH);
        const isSchema = within(CHECKING_MS, () => ajv.validateSchema(schema as object));
        if (!isSchema) return faultsOf(ajv.errors ?? [], root);
        const check = await compile(schemaJson, true, COMPILING_MS);
        // One that answers a promise would let everything pass.
        if ('$async' in check) throw new Error('$async is not known here');
        // One that leads into itself never comes to an end.
        within(CHECKING_MS, () => check({}));
        return [];
      } catch (error) {
        const message = error instanceof Error ? error.message.slice(0, 300) : 'is no JSON Schema (2020-12)';
        return [{ path: root, code: 'schema', message }];
      }
    },

    async faultsOfValue(schemaJson, valueJson, root, time) {
      const startedMs = performance.now();
      const leftMs = (atMost: number): number =>
        Math.max(1, Math.min(atMost, Math.floor(time.leftMs - (performance.now() - startedMs))));
      try {
        const check = await compile(schemaJson, valueJson.length <= LONGEST_THOROUGH, leftMs(COMPILING_MS));
        const value: unknown = JSON.parse(valueJson);
        return within(leftMs(CHECKING_MS), () => check(value)) ? [] : faultsOf(check.errors ?? [], root);
      } catch {
        return [{ path: root, code: 'too_complex', message: 'takes too long to check against the schema' }];
      } finally {
        time.leftMs -= performance.now() - startedMs;
      }
    },
  };
};
