/** A field that a recipe, a profile or the factors get later changes the key of no arm that does not use it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { asBefore } from '../../src/core/ablation/as-before.ts';
import type { StageSpec, Study } from '../../src/core/ablation/declaration.ts';
import { expandAblation, type Ablation } from '../../src/core/ablation/expand.ts';
import type { JsonObject, JsonValue } from '../../src/core/ablation/kind.ts';
import { buildPlan } from '../../src/core/plan/plan.ts';
import smoke from '../../experiments/profiles/smoke.ts';
import type { Factors } from '../../src/tinymim/factors.ts';
import study from '../../src/tinymim/study.ts';

const profile = study.profile.parse(smoke);

/** An arm of each method and target, and a sequence: every kind, and every shape of its recipe. */
const ARMS: readonly Partial<Factors>[] = [
  { method: 'scratch', student: 'T' },
  { method: 'mae', student: 'S' },
  {},
  { softmax: false, headAlignment: false, maskRatio: 0.5, reconstruction: 1 },
  { target: 'feature', jitter: false },
  { target: 'class-token', schedule: 'main' },
  { student: 'S', teachers: ['L', 'B'], teacherHeads: 'rebuilt' },
  { student: 'T', finetuneTeacher: 'L' },
];
const ablations = (s: Study): Ablation[] =>
  ARMS.map((factors, i) => {
    const arms = [{ name: 'arm', label: 'x', factors: factors as JsonObject }];
    return expandAblation({ name: `t${i}`, title: 't', table: 'ours', question: 'q', expected: 'e', base: {}, default: 'arm', arms }, s);
  });
const keys = (s: Study): string[][] => buildPlan({ study: s, profile, ablations: ablations(s), seeds: [0, 3] }).arms.map(({ stages }) => Object.values(stages));
const before = keys(study);

type Place = readonly [kind: string, ...path: string[]];
/** Every object of every recipe that a field can be added to. */
const places: readonly Place[] = study.kinds.flatMap(({ name, recipe }) => objectPaths(recipe).map((path): Place => [name, ...path]));

function objectPaths(schema: z.ZodType): string[][] {
  if (!(schema instanceof z.ZodObject)) return [];
  return [[], ...Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, inner]) => objectPaths(inner).map(path => [name, ...path]))];
}

function withField(schema: z.ZodType, [name, ...rest]: readonly string[], field: string, added: z.ZodType): z.ZodType {
  const object = schema as z.ZodObject;
  if (name === undefined) return object.safeExtend({ [field]: added });
  return object.safeExtend({ [name]: withField(object.shape[name] as z.ZodType, rest, field, added) });
}

function withValue(recipe: JsonObject, [name, ...rest]: readonly string[], field: string, value: JsonValue): JsonObject {
  return { ...recipe, ...(name === undefined ? { [field]: value } : { [name]: withValue(recipe[name] as JsonObject, rest, field, value) }) };
}

interface Added {
  readonly place: Place;
  readonly field: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
}
const value = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom('a', 'b'),
  fc.record({ x: fc.integer({ min: 0, max: 1 }), y: fc.constant([1, 'z']) }),
) as fc.Arbitrary<JsonValue>;
const added: fc.Arbitrary<Added> = fc
  .record({ place: fc.constantFrom(...places), field: fc.constantFrom('added', 'a_field', 'zz'), before: value, after: value })
  .filter(a => JSON.stringify(a.before) !== JSON.stringify(a.after));

/** The model of a stage is read by others, whose code would have to know the field. */
const elsewhere = added.filter(({ place }) => place[1] !== 'model');

/**
 * The study with one more field in a recipe, and a factor that sets it: `unset` leaves it out.
 * @param declare as what the field is declared
 */
function extended({ place: [kind, ...path], field, before: old, after }: Added, declare: (schema: z.ZodType) => z.ZodType, chosen: 'unset' | 'before' | 'after'): Study {
  const factors = (study.factors as unknown as z.ZodObject).safeExtend({ addedFactor: z.enum(['unset', 'before', 'after']).default(chosen) });
  const inStage = (choice: unknown, stage: StageSpec): StageSpec => ({
    ...stage,
    recipe: stage.kind !== kind || choice === 'unset' ? stage.recipe : withValue(stage.recipe, path, field, choice === 'before' ? old : after),
    upstream: Object.fromEntries(Object.entries(stage.upstream).map(([slot, up]) => [slot, inStage(choice, up)])),
  });
  return {
    ...study,
    factors: factors as unknown as Study['factors'],
    kinds: study.kinds.map(k => (k.name === kind ? { ...k, recipe: withField(k.recipe, path, field, declare(z.json())) as typeof k.recipe } : k)),
    realise: ({ addedFactor, ...known }, p, seed, measures) => [study.realise(known, p, seed, measures)].flat().map(stage => inStage(addedFactor, stage)),
  };
}

test('a field that means as before where it is left out, and where it is written out, keeps every key', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(added, fc.constantFrom('unset', 'before'), (one, chosen) => {
      expect(keys(extended(one, schema => asBefore(schema as z.ZodType<JsonValue>, one.before), chosen))).toEqual(before);
      seen.add(one.place[0]);
    }),
    // Whatever is drawn beside them: every kind once.
    { numRuns: 60, examples: study.kinds.map(({ name }) => [{ place: [name], field: 'added', before: null, after: true }, 'unset'] as [Added, 'unset']) },
  );
  expect([...seen].sort()).toEqual(study.kinds.map(({ name }) => name).sort());
});

test('with another value it is another stage, of the arms that have one of the kind, and of no other', () => {
  fc.assert(
    fc.property(elsewhere, one => {
      const after = keys(extended(one, schema => asBefore(schema as z.ZodType<JsonValue>, one.before), 'after'));
      const uses = buildPlan({ study, profile, ablations: ablations(study), seeds: [0, 3] });
      uses.arms.forEach(({ stages }, i) => {
        const concerned = Object.values(stages).some(key => uses.stages.get(key)!.kind === one.place[0]);
        expect(JSON.stringify(after[i]) !== JSON.stringify(before[i]), `arm ${i}`).toBe(concerned);
      });
    }),
    { numRuns: 30 },
  );
});

test('an ordinary default changes the keys of its kind: what the rule is there for', () => {
  const one: Added = { place: ['supervise'], field: 'added', before: 'a', after: 'b' };
  expect(keys(extended(one, schema => schema.default('a'), 'unset'))).not.toEqual(before);
});

test('a factor or a field of the profile that is added as it is changes no key', () => {
  const factors = (study.factors as unknown as z.ZodObject).safeExtend({ addedFactor: z.number().default(7) }) as unknown as Study['factors'];
  const wider = (study.profile as unknown as z.ZodObject).safeExtend({ added: z.strictObject({ x: z.number() }).default({ x: 1 }) }) as unknown as Study['profile'];
  expect(keys({ ...study, factors })).toEqual(before);
  const plan = buildPlan({ study: { ...study, profile: wider }, profile: wider.parse(smoke), ablations: ablations(study), seeds: [0, 3] });
  expect(plan.arms.map(({ stages }) => Object.values(stages))).toEqual(before);
});
