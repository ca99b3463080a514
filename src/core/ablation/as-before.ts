/** Fields that recipes get after stages have keys: left out of every recipe that does not use them, so that its key stays. */
import type { z } from 'zod';
import { canonicalJson } from './json.ts';
import type { JsonObject, StageKind } from './kind.ts';

/**
 * A field that was added to a recipe. Its value `before` means what every stage did without it, and is left out of the canonical
 * recipe however it was written: a reader takes `before` for a field that is not there.
 *
 *     pool: asBefore(z.enum(['mean', 'class_token']), 'mean')
 *
 * @param before in the form that `schema` gives
 */
export function asBefore<S extends z.ZodType>(schema: S, before: z.output<S>): z.ZodExactOptional<z.ZodType<z.output<S>, z.input<S>>> {
  const left = canonicalJson(before);
  // That undefined comes out is nobody else's business: `canonicalRecipe` leaves it out.
  const field = schema.transform(value => (canonicalJson(value) === left ? undefined : value)) as unknown as z.ZodType<z.output<S>, z.input<S>>;
  return field.exactOptional();
}

/** The recipe as a stage's identity holds it: as the kind's schema parses it, without fields that are undefined. */
export function canonicalRecipe(kind: Pick<StageKind, 'recipe'>, recipe: unknown): z.ZodSafeParseResult<JsonObject> {
  const parsed = kind.recipe.safeParse(recipe);
  return parsed.success ? { ...parsed, data: withoutUndefined(parsed.data) } : parsed;
}

/** Objects within lists too; a list keeps its holes, which no JSON has, and which are refused elsewhere. */
function withoutUndefined<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutUndefined) as T;
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => (inner === undefined ? [] : [[name, withoutUndefined<unknown>(inner)]]))) as T;
}
