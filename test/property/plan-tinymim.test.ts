/** The plan over TinyMIM's own vocabulary: random arms and profiles, judged without the hashes of the plan. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import imagenet1k from '../../experiments/profiles/imagenet1k.ts';
import mini from '../grid/profiles/mini.ts';
import { canonicalRecipe } from '../../src/core/ablation/as-before.ts';
import type { ProfileBase, StageSpec } from '../../src/core/ablation/declaration.ts';
import { AblateError, UsageError } from '../../src/core/ablation/errors.ts';
import { executionOnly } from '../../src/core/ablation/execution.ts';
import type { Ablation } from '../../src/core/ablation/expand.ts';
import { revisionOf } from '../../src/core/ablation/identity.ts';
import { schemaPaths, valuePaths, type FieldPath } from '../../src/core/ablation/fields.ts';
import { canonicalJson } from '../../src/core/ablation/json.ts';
import type { JsonObject } from '../../src/core/ablation/kind.ts';
import { applyOverrides } from '../../src/core/ablation/overrides.ts';
import { pathText } from '../../src/core/ablation/problems.ts';
import { buildPlan, type Plan } from '../../src/core/plan/plan.ts';
import type { Factors } from '../../src/tinymim/factors.ts';
import study from '../../src/tinymim/study.ts';

const declared = study.profile.parse(mini);
const size = fc.constantFrom('T', 'S', 'B', 'L');
const optional = { requiredKeys: [] };

/** Parts of an arm that go together; any one of each list makes an arm, most of them valid. */
const target = fc.oneof(
  fc.record({ relations: fc.subarray(['qk', 'vv', 'qq', 'kk'], { minLength: 1 }), headAlignment: fc.boolean() }, optional),
  fc.record({ softmax: fc.constant(false), relationLoss: fc.constantFrom('mse', 'smooth-l1') }),
  fc.record({ target: fc.constant('feature'), feature: fc.constantFrom('output', 'ffn', 'ffn-residual', 'attention', 'attention-residual', 'qkv') }),
  fc.record({ target: fc.constant('class-token'), classTokenLoss: fc.constantFrom('kl', 'mse'), finalNorm: fc.boolean() }),
);
const masking = fc.oneof(
  fc.constant({}),
  fc.record({ maskRatio: fc.constantFrom(0.25, 0.5, 0.75) }),
  fc.record({ maskRatio: fc.constantFrom(0.5, 0.75), teacherInput: fc.constantFrom('whole', 'visible'), reconstruction: fc.constantFrom(0, 0.5, 1) }),
);
const network = fc.record({ student: size, teachers: fc.array(size, { minLength: 1, maxLength: 3 }), teacherBlock: fc.constantFrom('default', 0.5, 0.75, 1) }, optional);
/** Of sequences that have such a teacher; elsewhere it is refused. */
const finetuning = fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.record({ finetuneTeacher: size, finetuneDistillation: fc.constantFrom('hard', 'soft') }) });
const training = fc.record({ studentDropPath: fc.constantFrom(0, 0.1, 0.2), teacherDropPath: fc.constantFrom(0, 0.1), jitter: fc.boolean(), schedule: fc.constantFrom('ablation', 'main') }, optional);
const choice: fc.Arbitrary<JsonObject> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(target, masking, network, training, finetuning).map(parts => Object.assign({}, ...parts) as JsonObject) },
  { weight: 1, arbitrary: fc.record({ method: fc.constantFrom('mae', 'scratch'), student: size }) },
);
/** An arm that TinyMIM can realise at `mini`. */
const arm = choice
  .filter(factors => study.factors.safeParse(factors).success)
  .map(factors => study.factors.parse(factors))
  .filter(factors => spec(factors) !== undefined);
const arms = fc.array(arm, { minLength: 1, maxLength: 6 });

/** The arm's stages, or undefined where the profile cannot realise it (no such block, heads that do not divide, untrained targets). */
function spec(factors: JsonObject, profile: ProfileBase = declared, seed = 0): StageSpec | undefined {
  try {
    const [stage] = [study.realise(factors, profile, seed, ['accuracy'])].flat();
    buildPlan({ study, profile, ablations: tables([factors]), seeds: [seed] });
    return stage;
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** Each arm in a table of its own, so that equal ones are allowed. */
const tables = (list: readonly JsonObject[]): Ablation[] =>
  list.map((factors, i) => {
    const one = { name: 'arm', label: 'x', factors };
    return {
      declaration: { name: `t${i}`, title: 't', table: 'ours', question: 'q', expected: 'e', base: {}, default: 'arm', arms: [one] },
      arms: [{ ablation: `t${i}`, ...one }],
    };
  });
const plan = (list: readonly JsonObject[], seeds: readonly number[] = [0], profile: ProfileBase = declared): Plan => buildPlan({ study, profile, ablations: tables(list), seeds });

/** Everything that a stage's numbers depend on, written out: its own identity and that of all stages before it. */
function whole(stage: StageSpec): string {
  const kind = study.kinds.find(k => k.name === stage.kind)!;
  const upstream = Object.fromEntries(Object.entries(stage.upstream).map(([slot, s]) => [slot, whole(s)]));
  const recipe = canonicalRecipe(kind, stage.recipe).data!;
  return canonicalJson({ kind: kind.name, revision: revisionOf(kind, recipe), recipe, seed: stage.seed, upstream });
}
function everyStage(stage: StageSpec): StageSpec[] {
  return [stage, ...Object.values(stage.upstream).flatMap(everyStage)];
}

test('stages are shared exactly when everything that their numbers depend on is equal', () => {
  fc.assert(
    fc.property(arms, list => {
      const { stages, arms: planned } = plan(list, [0, 1]);
      const keys = new Map<string, string>();
      for (const { ablation, seed, stages: byRole } of planned) {
        const realised = [study.realise(list[Number(ablation.slice(1))]!, declared, seed, ['accuracy'])].flat();
        for (const stage of realised.flatMap(everyStage)) {
          const key = byRole[stage.role]!;
          expect(keys.get(whole(stage)) ?? key).toBe(key);
          keys.set(whole(stage), key);
        }
      }
      expect(new Set(keys.values()).size).toBe(keys.size);
      expect(stages.size).toBe(keys.size);
    }),
  );
});

test('every plan is a DAG in which each input exists, comes before, and fills a slot of its kind', () => {
  const filled = new Set<string>();
  fc.assert(
    fc.property(arms, list => {
      const seen = new Map<string, string>();
      for (const stage of plan(list).stages.values()) {
        const slots = study.kinds.find(k => k.name === stage.kind)!.upstream;
        for (const [slot, key] of Object.entries(stage.upstream)) {
          expect(slots[slot]!.kinds).toContain(seen.get(key));
          filled.add(slot);
        }
        seen.set(stage.key, stage.kind);
      }
    }),
  );
  expect([...filled].sort()).toEqual(['teacher', 'weights']);
});

test('adding arms never changes the key of another', () => {
  fc.assert(
    fc.property(arms, arms, (list, more) => {
      const alone = plan(list).arms.map(a => a.stages);
      expect(
        plan([...list, ...more])
          .arms.slice(0, list.length)
          .map(a => a.stages),
      ).toEqual(alone);
    }),
  );
});

/** Factors of which two values always mean two things; others have aliases, as `default` of the teacher's block. */
const OTHER: { readonly [F in keyof Factors]?: readonly Factors[F][] } = {
  student: ['T', 'S', 'B'],
  target: ['relation', 'feature', 'class-token'],
  relations: [['qk'], ['qk', 'vv'], ['qq', 'kk', 'vv']],
  softmax: [true, false],
  relationLoss: ['mse', 'smooth-l1'],
  headAlignment: [true, false],
  feature: ['output', 'ffn', 'attention', 'attention-residual', 'qkv'],
  classTokenLoss: ['kl', 'mse'],
  maskRatio: [0, 0.25, 0.5],
  teacherInput: ['whole', 'visible'],
  reconstruction: [0, 0.5, 1],
  studentDropPath: [0, 0.1, 0.2],
  teacherDropPath: [0, 0.1],
  jitter: [true, false],
  schedule: ['ablation', 'main'],
  finetuneTeacher: ['none', 'L', 'B'],
  finetuneDistillation: ['hard', 'soft'],
};

test('an arm with another value of any one factor is another stage', () => {
  const seen = new Set<string>();
  for (const [factor, values] of Object.entries(OTHER) as [string, readonly JsonObject[string][]][]) {
    const change = fc.tuple(arm, fc.shuffledSubarray([...values], { minLength: 2, maxLength: 2 }));
    fc.assert(
      fc.property(change, ([base, [a, b]]) => {
        const [first, second] = [
          { ...base, [factor]: a! },
          { ...base, [factor]: b! },
        ];
        fc.pre(study.factors.safeParse(first).success && study.factors.safeParse(second).success);
        fc.pre(spec(first) !== undefined && spec(second) !== undefined);
        const [x, y] = plan([first, second]).arms;
        expect(x!.final).not.toBe(y!.final);
        seen.add(factor);
      }),
      { numRuns: 10, maxSkipsPerRun: 1000 },
    );
  }
  expect([...seen].sort()).toEqual(Object.keys(OTHER).sort());
});

/** Arms that between them read every field of the profile. */
const COVER = ['T', 'S', 'B', 'L']
  .flatMap((student): JsonObject[] => [
    { method: 'scratch', student },
    { method: 'mae', student },
    { student, teachers: ['L'], target: 'feature' },
    { student, teachers: ['B'], target: 'feature', maskRatio: 0.5, reconstruction: 1 },
    // Of which no profile has a checkpoint.
    { student, teachers: ['S'], target: 'feature' },
  ])
  .concat({ student: 'T', teachers: ['L'], target: 'feature', finetuneTeacher: 'L', finetuneDistillation: 'soft' })
  .map(factors => study.factors.parse(factors));

/** Fields that say something about a profile and change nothing. */
const WORDS_ONLY = new Set(['name', 'title', 'caution', 'comparable', 'verdicts', 'sources', 'throughput', 'pytorch']);

/** Stages of arms, with every number that can be measured. */
function keysOf(arms: readonly JsonObject[], profile: ProfileBase): readonly string[] {
  const measures = ['accuracy', ...Object.keys(study.report.measures!)];
  const ablations = tables(arms).map(table => ({ ...table, declaration: { ...table.declaration, measures } }));
  return [...buildPlan({ study, profile, ablations, seeds: [7] }).stages.keys()];
}

const changed = (sets: readonly string[], profile: object): ProfileBase => study.profile.parse(applyOverrides(profile, study.profile.parse(profile), sets, study).profile);

/** Whether a change of the profile gives an arm another stage, or undefined where the changed profile is not a valid one. One arm after the other: the first ones read most of the fields. */
function changesAStage(set: string, profile: object, before: ReadonlySet<string>): boolean | undefined {
  try {
    const other = changed([set], profile);
    return COVER.some(arm => keysOf([arm], other).some(key => !before.has(key)));
  } catch (error) {
    if (error instanceof AblateError) return undefined;
    throw error;
  }
}

test.each<[string, object]>([
  ['mini', mini],
  ['imagenet1k', imagenet1k],
])('every number and every switch of profile %s is part of some identity', (_, profile) => {
  const whole = study.profile.parse(profile);
  const at = (path: FieldPath): unknown => path.reduce<unknown>((v, part) => (v as Record<string | number, unknown>)[part], whole);
  const before = new Set(keysOf(COVER, whole));
  const [tested, untested]: [string[], string[]] = [[], []];
  for (const path of valuePaths(whole).filter(p => !WORDS_ONLY.has(String(p[0])) && p[0] !== 'seeds')) {
    const value = at(path);
    if (typeof value !== 'number' && typeof value !== 'boolean') continue;
    const others = typeof value === 'number' ? [2 * value, value / 2, value + 1, value + 0.25].filter(v => v !== value) : [!value];
    let found: boolean | undefined;
    for (const other of others) found ??= changesAStage(`${pathText(path)}=${other}`, profile, before);
    (found === undefined ? untested : tested).push(pathText(path));
    if (found !== undefined) expect(found, pathText(path)).toBe(true);
  }
  expect(tested).toContain('distill.schedule.epochs');
  expect(untested).toEqual([]);
});

test('what is only words about the profile changes no key', () => {
  const before = keysOf(COVER, declared);
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.boolean(), (text, comparable) => {
      expect(keysOf(COVER, changed([`title=${JSON.stringify(text)}`, `caution=${JSON.stringify(text)}`, `comparable=${comparable}`], mini))).toEqual(before);
    }),
    { numRuns: 20 },
  );
});

test('no recipe has a field that only says how a stage runs', () => {
  expect(study.kinds.length).toBeGreaterThan(0);
  for (const kind of study.kinds) {
    const paths = schemaPaths(kind.recipe);
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) for (const name of path) expect(executionOnly(String(name)), `${kind.name}: ${pathText(path)}`).toBeUndefined();
  }
});

test('a teacher of its own for each replicate is another teacher, and only then', () => {
  const teachers = (profile: ProfileBase): number => [...plan([study.factors.parse({})], [0, 1, 2], profile).stages.values()].filter(s => s.kind === 'pretrain').length;
  expect(teachers(declared)).toBe(1);
  expect(teachers(study.profile.parse(applyOverrides(mini, declared, ['teacher_seed=replicate'], study).profile))).toBe(3);
});
