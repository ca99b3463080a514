/** The fields of a nested value: their paths by schema and value, changing one, and which of them differ. */
import { z } from 'zod';
import { canonicalJson } from './json.ts';
import { alternatives, pathText, type SchemaNode } from './problems.ts';

export type FieldPath = readonly (string | number)[];

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function childrenOf(value: unknown): [string | number, unknown][] {
  if (Array.isArray(value)) return value.map((item, i): [number, unknown] => [i, item]);
  return isObject(value) ? Object.entries(value) : [];
}

/** Paths of all fields of `value`, inner ones and entries of lists too. */
export function valuePaths(value: unknown, path: FieldPath = []): FieldPath[] {
  const inner = childrenOf(value).flatMap(([part, child]) => valuePaths(child, [...path, part]));
  return path.length > 0 ? [path, ...inner] : inner;
}

/** Paths of all fields that `schema` names, optional ones and those of every branch of a union too. */
export function schemaPaths(schema: z.ZodType): FieldPath[] {
  const found = new Map<string, FieldPath>();
  const visit = (node: SchemaNode, path: FieldPath): void => {
    if (path.length > 0) found.set(pathText(path), path);
    for (const properties of alternatives(node).map(n => n.properties ?? {})) {
      for (const [name, child] of Object.entries(properties)) visit(child, [...path, name]);
    }
  };
  visit(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode, []);
  return [...found.values()];
}

/**
 * `declared` with another value at `path`; nothing is changed in place.
 * @param whole the same value with defaults filled in, from which objects come that `declared` leaves out
 */
export function withValue(declared: unknown, whole: unknown, path: FieldPath, value: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  const outer = declared ?? whole ?? {};
  const child = (from: unknown): unknown => (typeof from === 'object' && from !== null ? (from as Record<string | number, unknown>)[part] : undefined);
  const changed = withValue(child(outer), child(whole), rest, value);
  if (Array.isArray(outer)) return outer.map((item: unknown, i) => (i === part ? changed : item));
  return { ...outer, [part]: changed };
}

/**
 * The smallest parts of `after` that differ from `before`, as `path=canonical JSON`, sorted. A list of another length, and an
 * object that lost a field, differ as a whole.
 */
export function changedFields(before: unknown, after: unknown, path: FieldPath = []): string[] {
  if (path.length > 0 && !partwise(before, after)) {
    const text = canonicalJson(after, pathText(path));
    return before !== undefined && text === canonicalJson(before, pathText(path)) ? [] : [`${pathText(path)}=${text}`];
  }
  const was = new Map(childrenOf(before));
  return childrenOf(after)
    .flatMap(([part, value]) => changedFields(was.get(part), value, [...path, part]))
    .sort();
}

/** Whether all that differs can be said part by part. */
function partwise(before: unknown, after: unknown): boolean {
  if (Array.isArray(before) && Array.isArray(after)) return before.length === after.length;
  return isObject(before) && isObject(after) && Object.keys(before).every(name => name in after);
}
