/** What is wrong with a value, in words a person can act on: field path, what was expected, what was found. */
import { z } from 'zod';
import { suggest } from './suggest.ts';

export type Path = readonly PropertyKey[];

export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** `['arms', 2, 'factors', 'softmax']` -> `arms[2].factors.softmax`. */
export function pathText(path: Path): string {
  return path.map((p, i) => (typeof p === 'number' ? `[${p}]` : `${i > 0 ? '.' : ''}${String(p)}`)).join('');
}

export function problemText({ path, message }: Problem): string {
  return path.length > 0 ? `${pathText(path)}: ${message}` : message;
}

/** All problems of `value` under `schema`; an unknown field counts as one problem at that field. */
export function problems(schema: z.ZodType, value: unknown): Problem[] {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : parsed.error.issues.flatMap(issue => fromIssue(issue, schema, value));
}

function fromIssue(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): Problem[] {
  const found = valueAt(value, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownFields(schema, issue.path);
      // In a union, a field of another branch is known, too: it is no hint to itself.
      return issue.keys.map(key => ({
        path: [...issue.path, key],
        message: `unknown field${suggest(
          key,
          known.filter(k => k !== key),
        )}`,
      }));
    }
    case 'invalid_type':
      return [{ path: issue.path, message: `expected ${issue.expected}, got ${describeValue(found)}` }];
    case 'invalid_value': {
      const valid = issue.values.map(v => (typeof v === 'string' ? `'${v}'` : String(v)));
      const hint = typeof found === 'string' ? suggest(found, issue.values.map(String)) : '';
      const near = hint.startsWith(';') ? hint : '';
      return [{ path: issue.path, message: `expected ${valid.length > 1 ? 'one of ' : ''}${valid.join(', ')}, got ${describeValue(found)}${near}` }];
    }
    case 'invalid_union':
      return fromUnion(issue, found);
    default:
      return [{ path: issue.path, message: `${lowerFirst(issue.message)}, got ${describeValue(found)}` }];
  }
}

/** The alternative that came furthest (fewest issues) tells most. */
function fromUnion(issue: z.core.$ZodIssueInvalidUnion, found: unknown): Problem[] {
  if (issue.errors.length === 0) return [{ path: issue.path, message: `${lowerFirst(issue.message)}, got ${describeValue(found)}` }];
  const fewest = issue.errors.reduce((a, b) => (b.length < a.length ? b : a));
  const alternatives = issue.errors.map(e => e.map(i => lowerFirst(i.message)).join(', '));
  if (fewest.every(i => i.path.length === 0)) {
    return [{ path: issue.path, message: `${[...new Set(alternatives)].join('; or ')}, got ${describeValue(found)}` }];
  }
  return fewest.map(i => ({ path: [...issue.path, ...i.path], message: `${lowerFirst(i.message)}, got ${describeValue(valueAt(found, i.path))}` }));
}

/** `'abc' (string)`, `3 (number)`, `a list of 2`, `nothing`. */
function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 57)}...` : value}' (string)`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return `an object with ${Object.keys(value).slice(0, 5).join(', ') || 'no fields'}`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'symbol' ? 'a symbol' : `${value as number | boolean | bigint} (${typeof value})`;
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((v, p) => (typeof v === 'object' && v !== null ? (v as Record<PropertyKey, unknown>)[p] : undefined), value);
}

/** What is read of JSON Schema. */
export interface SchemaNode {
  readonly properties?: Record<string, SchemaNode>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
}

/** Field names that `schema` knows at `path`, over all alternatives of unions. */
export function knownFields(schema: z.ZodType, path: Path = []): string[] {
  let nodes: SchemaNode[];
  try {
    nodes = [z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode];
  } catch {
    return []; // a schema of another library or version: no hint, the problem itself is still reported
  }
  for (const p of path) nodes = nodes.flatMap(alternatives).flatMap(n => step(n, p));
  return [...new Set(nodes.flatMap(alternatives).flatMap(n => Object.keys(n.properties ?? {})))];
}

/** The node and every branch of its unions and intersections. */
export function alternatives(node: SchemaNode): SchemaNode[] {
  const parts = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return [node, ...parts.flatMap(alternatives)];
}

function step(node: SchemaNode, part: PropertyKey): SchemaNode[] {
  if (typeof part === 'number') return node.items ? [node.items] : [];
  const property = node.properties?.[String(part)];
  if (property) return [property];
  return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
}
