/** Canonical JSON: one text for one value, so that hashes and result files are equal exactly when the values are. */
import { AblateError } from './errors.ts';

/** A value that plain JSON cannot hold without loss: NaN, infinities, undefined, functions, class instances. */
export class NotJsonError extends AblateError {
  readonly path: string;
  constructor(path: string, found: string) {
    super('NOT_JSON', `${path}: expected a JSON value (finite number, string, boolean, null, list or plain object), got ${found}`);
    this.path = path;
  }
}

/**
 * Text of `value` with keys sorted by UTF-16 code units, no white space, and numbers in their shortest round-trip form
 * (RFC 8785). `-0` and `0` give the same text.
 * @param at name of the value in error messages, e.g. `recipe`
 * @throws NotJsonError naming the path of the first value that JSON cannot hold
 */
export function canonicalJson(value: unknown, at = 'value'): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new NotJsonError(at, String(value));
      return JSON.stringify(value);
    case 'object':
      return Array.isArray(value) ? canonicalList(value, at) : canonicalObject(value, at);
    default:
      throw new NotJsonError(at, typeof value);
  }
}

function canonicalList(list: readonly unknown[], at: string): string {
  // Array.from turns holes into undefined, which is then refused; map would skip them.
  return `[${Array.from(list, (item, i) => canonicalJson(item, `${at}[${i}]`)).join(',')}]`;
}

function canonicalObject(object: object, at: string): string {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) throw new NotJsonError(at, `an instance of ${object.constructor.name}`);
  const fields = Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, v]) => `${JSON.stringify(name)}:${canonicalJson(v, `${at}.${name}`)}`).join(',')}}`;
}
