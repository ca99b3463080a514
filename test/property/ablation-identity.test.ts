import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, NotJsonError } from '../../src/core/ablation/json.ts';
import type { JsonValue, StageIdentity } from '../../src/core/ablation/kind.ts';
import { identityDifferences } from '../../src/core/plan/explain.ts';
import { keyOf } from '../../src/core/ablation/identity.ts';

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;
const name = fc.string({ minLength: 1, maxLength: 6 });
const identity: fc.Arbitrary<StageIdentity> = fc.record(
  {
    kind: fc.constantFrom('pretrain', 'distill'),
    revision: fc.integer({ min: 1, max: 3 }),
    recipe: fc.dictionary(name, json, { maxKeys: 4 }),
    seed: fc.integer({ min: 0, max: 3 }),
    upstream: fc.dictionary(name, fc.constantFrom('aa', 'bb'), { maxKeys: 2 }),
    codeHash: fc.constantFrom('c0', 'c1'),
  },
  { requiredKeys: ['kind', 'revision', 'recipe', 'seed', 'upstream'] },
);

/** The same value with every object's keys in another order. */
function shuffled(value: unknown, flip: boolean): unknown {
  if (Array.isArray(value)) return value.map(v => shuffled(v, flip));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([k, v]) => [k, shuffled(v, flip)] as const);
  return Object.fromEntries(flip ? entries.reverse() : entries);
}

/** Equality as JSON sees it: key order and the sign of zero do not count. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [x, y] = [Object.entries(a), new Map(Object.entries(b))];
  return x.length === y.size && x.every(([k, v]) => y.has(k) && same(v, y.get(k)));
}

test('canonical JSON is read back as the same value, and does not depend on the order of keys', () => {
  fc.assert(
    fc.property(json, value => {
      const text = canonicalJson(value);
      expect(same(JSON.parse(text), value)).toBe(true);
      expect(canonicalJson(shuffled(value, true))).toBe(text);
    }),
  );
});

test('keys are equal exactly when identities are', () => {
  fc.assert(
    fc.property(identity, identity, (a, b) => {
      expect(keyOf(a) === keyOf(b)).toBe(same(a, b));
      expect(keyOf(shuffled(a, true) as StageIdentity)).toBe(keyOf(a));
    }),
    { numRuns: 1000 },
  );
});

test('the key of a stage without a hash of its code is that of its five other fields', () => {
  fc.assert(
    fc.property(identity, ({ kind, revision, recipe, seed, upstream }) => {
      const text = canonicalJson({ kind, revision, recipe, seed, upstream });
      expect(keyOf({ kind, revision, recipe, seed, upstream })).toBe(createHash('sha256').update(text).digest('hex').slice(0, 32));
    }),
  );
});

test('a change of any one field changes the key, and is named', () => {
  fc.assert(
    fc.property(identity, fc.constantFrom('kind', 'revision', 'seed', 'recipe.x', 'upstream.x', 'codeHash'), (a, field) => {
      const changed: StageIdentity = {
        ...a,
        ...(field === 'kind' && { kind: `${a.kind}!` }),
        ...(field === 'revision' && { revision: a.revision + 1 }),
        ...(field === 'seed' && { seed: a.seed + 1 }),
        ...(field === 'recipe.x' && { recipe: { ...a.recipe, x: `${JSON.stringify(a.recipe['x'])}!` } }),
        ...(field === 'codeHash' && { codeHash: `${a.codeHash ?? ''}!` }),
        ...(field === 'upstream.x' && { upstream: { ...a.upstream, x: `${a.upstream['x'] ?? ''}!` } }),
      };
      expect(keyOf(changed)).not.toBe(keyOf(a));
      expect(identityDifferences(a, changed).some(d => d.field === field || d.field.startsWith(`${field}.`) || field.startsWith(`${d.field}.`))).toBe(true);
    }),
  );
});

test('identities differ in some field exactly when their keys differ', () => {
  fc.assert(
    fc.property(identity, identity, (a, b) => {
      expect(identityDifferences(a, b).length === 0).toBe(keyOf(a) === keyOf(b));
    }),
    { numRuns: 1000 },
  );
});

test('what is not in the identity cannot change the key', () => {
  fc.assert(
    fc.property(identity, fc.dictionary(fc.constantFrom('device', 'workers', 'label', 'role', 'dataDir'), json), (a, extra) => {
      expect(keyOf({ ...extra, ...a })).toBe(keyOf(a));
    }),
  );
});

test('what JSON cannot hold is refused wherever it stands', () => {
  const bad = fc.constantFrom(NaN, Infinity, -Infinity, undefined, () => 1, Symbol('s'), 1n, new Date(0), new Map());
  const around = fc.constantFrom(
    (v: unknown) => v,
    (v: unknown) => [1, v],
    (v: unknown) => ({ a: { b: v } }),
    (v: unknown) => [[v], 2],
  );
  fc.assert(
    fc.property(bad, around, (value, wrap) => {
      expect(() => canonicalJson(wrap(value))).toThrow(NotJsonError);
    }),
  );
  expect(() => canonicalJson([, 1])).toThrow('value[0]'); // eslint-disable-line no-sparse-arrays
});
