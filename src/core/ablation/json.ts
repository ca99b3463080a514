/** JSON in one text for one value, so that hashes and result files are equal exactly when the values are; and read back with a bound on its depth. */
import { AblateError } from './errors.ts';

/** A value that plain JSON cannot hold without loss: NaN, infinities, undefined, functions, class instances. @internal */
export class NotJsonError extends AblateError {
  readonly path: string;
  readonly permanent = true;
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
  return textOf(value, [at]);
}

/** Names and indices on the way to a value: put into words only when something is wrong there, for plans hash thousands of recipes. */
type Path = (string | number)[];

function textOf(value: unknown, path: Path): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw refusal(path, String(value));
      return JSON.stringify(value);
    case 'object':
      return Array.isArray(value) ? textOfList(value, path) : textOfObject(value as Record<string, unknown>, path);
    default:
      throw refusal(path, typeof value);
  }
}

function textOfList(list: readonly unknown[], path: Path): string {
  let text = '[';
  // By index, so that a hole counts as undefined, which is then refused; map would skip it.
  for (let i = 0; i < list.length; i++) {
    path.push(i);
    text += (i > 0 ? ',' : '') + textOf(list[i], path);
    path.pop();
  }
  return `${text}]`;
}

function textOfObject(object: Readonly<Record<string, unknown>>, path: Path): string {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) throw refusal(path, `an instance of ${object.constructor.name}`);
  let text = '{';
  for (const name of Object.keys(object).sort()) {
    path.push(name);
    text += `${text === '{' ? '' : ','}${JSON.stringify(name)}:${textOf(object[name], path)}`;
    path.pop();
  }
  return `${text}}`;
}

const refusal = ([at, ...rest]: Path, found: string): NotJsonError => new NotJsonError(String(at) + rest.map(part => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join(''), found);

/** Lists and objects within each other. Far more than anything written here has; far less than what overflows the stack of a reader. */
const MAX_DEPTH = 100;

/**
 * `JSON.parse`, which itself reads any depth, for readers that walk through the value by recursion.
 * @throws SyntaxError when the text is no JSON, or nested deeper than 100
 */
export function parseJson(text: string): unknown {
  if (depthBeyond(text, MAX_DEPTH)) throw new SyntaxError(`Expected JSON nested at most ${MAX_DEPTH} deep, got more`);
  return JSON.parse(text) as unknown;
}

/** Of text that is no JSON it says something or other. */
function depthBeyond(text: string, limit: number): boolean {
  if (text.length <= 2 * limit) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[' || character === '{') {
      if (++depth > limit) return true;
    } else if (character === ']' || character === '}') depth--;
  }
  return false;
}

/** Where the string that begins at `from` has its closing quote. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
