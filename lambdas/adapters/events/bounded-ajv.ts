import type { Ajv2020, ErrorObject, SchemaObject } from 'ajv/dist/2020.js';
import { isDecimalMultiple } from './decimal-multiple.ts';

/** The maximum number of faults, each with its own path, that one check of an event against a schema collects. */
export const MAX_FAULTS = 20;
/**
 * The maximum number of errors of Ajv in one check. One fault may have several errors, and Ajv discards some of the
 * errors later.
 */
const MAX_ERRORS = 1000;

/** Parameters of an Ajv error that name the faulty member of an object. */
const MEMBER_PARAMS = ['missingProperty', 'additionalProperty', 'unevaluatedProperty', 'propertyName'];

/** Returns the names of the members that an Ajv error is about: at most one, none for most keywords. */
export const membersOf = ({ params }: ErrorObject): string[] =>
  MEMBER_PARAMS.flatMap((name) => (typeof params[name] === 'string' ? [params[name]] : []));

/**
 * Matches a schema that may contain one of the keywords for which Ajv discards errors again: the errors of a branch of
 * `anyOf` do not count if another branch is valid.
 */
const DISCARDING = /"(?:anyOf|oneOf|contains|not|if)"/;

/** An Ajv instance for one schema. */
export interface BoundedAjv {
  readonly ajv: Ajv2020;
  /**
   * Checks a value with a validator of this instance. Returns the errors; empty = valid. Stops at `MAX_FAULTS` faults,
   * and returns null if it had to stop before it could know the faults.
   */
  errorsOf(isValid: (value: unknown) => unknown, value: unknown): readonly ErrorObject[] | null;
  /** Removes the errors of the last check, which a cached validator would keep in memory. */
  forget(): void;
}

type Validators = { validate?: { errors?: unknown } }[];

/** Thrown by Ajv's generated code to end a check. */
const stop = new Error('the check has enough faults');

/** Counts the errors of one check, and throws `stop` when the check has enough of them. */
const createCounter = (isDiscarding: boolean) => {
  const errors: ErrorObject[] = [];
  const paths = new Set<string>();
  return {
    errors,
    add: (error: ErrorObject): void => {
      errors.push(error);
      if (!isDiscarding) paths.add([error.instancePath, ...membersOf(error)].join('\n'));
      if (paths.size >= MAX_FAULTS || errors.length >= MAX_ERRORS) throw stop;
    },
  };
};

/** Inserts a call of `self.countError` after each place where Ajv's generated code records an error. */
const withCounting = (code: string): string =>
  code.replaceAll(/vErrors\.push\((err\d+)\);\}errors\+\+;/g, '$&self.countError($1);');

/**
 * Creates an Ajv instance for one schema: equal `$id`s then do not collide, and no schema can reference another schema.
 * Without `isThorough`, a check ends at the first fault. Loads Ajv on first use, because most accounts have no schema
 * and Ajv takes longer to load than all other modules together.
 */
export const createBoundedAjv = async (schemaJson: string | null, isThorough: boolean): Promise<BoundedAjv> => {
  // Takes the default export: the bundle holds Ajv as a separate CommonJS file, which has no other export.
  const { default: module } = await import('ajv/dist/2020.js');
  const isDiscarding = schemaJson === null || DISCARDING.test(schemaJson);
  const validators: Validators = [];
  let counter = createCounter(isDiscarding);

  const process = (code: string, validator?: object): string => {
    if (validator) validators.push(validator);
    return isThorough ? withCounting(code) : code;
  };
  const ajv = new module.Ajv2020({
    strict: false,
    logger: false,
    validateFormats: false,
    validateSchema: false,
    allErrors: isThorough,
    ownProperties: true,
    code: { process },
  });
  Object.assign(ajv, { countError: (error: ErrorObject) => counter.add(error) });
  ajv.removeKeyword('multipleOf').addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    compile: (divisor: number) => (value: number) => isDecimalMultiple(value, divisor),
    error: { message: ({ schema }: { schema: SchemaObject }) => `must be multiple of ${schema}` },
  });

  return {
    ajv,
    errorsOf(isValid, value) {
      counter = createCounter(isDiscarding);
      try {
        if (isValid(value)) return [];
        return (isValid as { errors?: ErrorObject[] | null }).errors ?? ajv.errors ?? [];
      } catch (error) {
        if (error !== stop) throw error;
        return isDiscarding ? null : counter.errors;
      }
    },

    forget() {
      for (const { validate } of validators) if (validate) validate.errors = null;
      ajv.errors = null;
      counter = createCounter(isDiscarding);
    },
  };
};
