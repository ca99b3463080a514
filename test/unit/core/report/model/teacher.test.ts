/** A table of distilled arms, its teacher and its baseline: what stands on top of it, beside its rows and under it. Nothing here was measured. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Study } from '../../../../../src/core/ablation/declaration.ts';
import { expandAblation, type Ablation } from '../../../../../src/core/ablation/expand.ts';
import { headroomAblation } from '../../../../../src/core/ablation/headroom.ts';
import type { JsonObject, StageCost } from '../../../../../src/core/ablation/kind.ts';
import type { ClaimResult } from '../../../../../src/core/report/model/claims.ts';
import { headroomOf } from '../../../../../src/core/report/model/headroom.ts';
import { tableImages } from '../../../../../src/core/report/model/images.ts';
import { teacherWarnings } from '../../../../../src/core/report/model/teacher.ts';
import { placeRecords } from '../../../../../src/core/report/model/usage.ts';
import type { ReportRecord } from '../../../../../src/core/report/records/records.ts';
import { accuracyRecords, type Accuracies } from '../../../../helpers/report/claims.ts';
import { judgedClaim } from '../../../../helpers/report/judged.ts';
import { sampleKey, sampleStudy } from '../../../../helpers/report/sample.ts';

const study: Study = {
  ...sampleStudy,
  factors: z.strictObject({ method: z.enum(['distill', 'mae', 'scratch']).default('distill'), size: z.enum(['T', 'B']).default('B'), target: z.string().default('relation') }),
  headroom: {
    name: 'teachers',
    title: 'Teachers, fine-tuned',
    note: 'In grey: the teachers.',
    of: ({ method }) => (method === 'distill' ? [{ name: 'mae-l', label: 'MAE-L, fine-tuned', factors: { method: 'mae', target: 'large' } }] : []),
    baseline: ({ size }) => ({ method: 'mae', size: size! }),
  },
};

type Choices = Readonly<Record<string, JsonObject | string>>;

/** A string: the arm of another ablation that it is. */
function table(name: string, arms: Choices, others: readonly Ablation[] = []): Ablation {
  const declared = Object.entries(arms).map(([arm, choice]) => ({ name: arm, label: arm.toUpperCase(), ...(typeof choice === 'string' ? { sameAs: choice } : { factors: choice }) }));
  const declaration = { name, title: name, table: 'Table 1', question: '', expected: '', base: {}, default: declared[0]!.name, arms: declared };
  const known = new Map(others.map(({ declaration: other }) => [other.name, { declaration: other, arms: new Map(other.arms.map(arm => [arm.name, arm])) }]));
  return expandAblation(declaration, study, known);
}

const withTeachers = (...tables: Ablation[]): Ablation[] => [...tables, headroomAblation(study, tables)!];

const relation = table('relation', { qk: {}, vv: { target: 'vv' }, mae: { method: 'mae' } });
const copy = table('copy', { mae: 'relation/mae' }, [relation]);
const drop = table('drop', { none: { target: 'none' }, some: { target: 'some' } });
const small = table('small', { tiny: { size: 'T' } });
const all = withTeachers(copy, relation, drop, small);

const baselines = (name: string, expanded = all) =>
  headroomOf(study, name, expanded).baselines.map(({ ablation, arm, label, rests }) => [`${ablation}/${arm}`, label, rests.map(({ name: of }) => of).join()]);

describe('the baseline of a table', () => {
  test('is the arm with the factors that the study names: its own, else of another table, rather where it is declared than where it is taken over', () => {
    expect(baselines('relation')).toEqual([['relation/mae', 'MAE', 'mae-l']]);
    expect(baselines('drop')).toEqual([['relation/mae', 'relation: MAE', 'mae-l']]);
    expect(baselines('drop', withTeachers(copy, drop))).toEqual([['copy/mae', 'copy: MAE', 'mae-l']]);
  });

  test('is none where no arm has them, where no arm rests on anything, and where the study names none', () => {
    expect(baselines('small')).toEqual([]);
    expect(baselines('copy')).toEqual([]);
    const { headroom } = study;
    const without = { name: headroom!.name, title: headroom!.title, note: headroom!.note, of: (factors: JsonObject) => headroom!.of(factors) };
    expect(headroomOf({ ...study, headroom: without }, 'relation', all).baselines).toEqual([]);
  });
});

const warningsOf = (name: string, accuracies: Accuracies): string[] =>
  teacherWarnings({
    study,
    declared: [0, 1, 2],
    records: accuracyRecords(accuracies),
    headline: { name: 'accuracy', label: 'accuracy', unit: 'fraction', better: 'higher' },
    baselines: headroomOf(study, name, all).baselines,
  });

describe('a teacher that is no better than its baseline', () => {
  test('puts a warning on top of each table that learns from it, with both numbers', () => {
    const accuracies = { 'relation/mae': [0.85, 0.87], 'teachers/mae-l': [0.84] };
    expect(warningsOf('relation', accuracies)).toEqual([
      'MAE-L, fine-tuned (84.00\u00a0%, 1 seed) is no better than MAE (86.00\u00a0%, 2 seeds), the baseline: arms that rest on it have little to gain.',
    ]);
    expect(warningsOf('drop', accuracies)[0]).toContain('than relation: MAE (86.00');
  });

  test('is warned of when it is just as good, or better by less than the error of the difference', () => {
    expect(warningsOf('relation', { 'relation/mae': [0.85], 'teachers/mae-l': [0.85] })).toHaveLength(1);
    expect(warningsOf('relation', { 'relation/mae': [0.85], 'teachers/mae-l': [0.8501] })).toHaveLength(1);
    expect(warningsOf('relation', { 'relation/mae': [0.85], 'teachers/mae-l': [0.856] })).toEqual([]);
    expect(warningsOf('relation', { 'relation/mae': [0.85, 0.851, 0.849], 'teachers/mae-l': [0.8501, 0.8512, 0.8492] })).toEqual([]);
  });

  test('is judged on the declared seeds', () => {
    // Beyond the third seed the teacher is worse.
    expect(warningsOf('relation', { 'relation/mae': [0.85], 'teachers/mae-l': [0.86, 0.86, 0.86, 0.1] })).toEqual([]);
  });

  test('is not known as long as one of them is not measured', () => {
    expect(warningsOf('relation', { 'relation/mae': [0.85] })).toEqual([]);
    expect(warningsOf('relation', { 'teachers/mae-l': [0.85] })).toEqual([]);
    expect(warningsOf('small', { 'relation/mae': [0.9], 'teachers/mae-l': [0.85] })).toEqual([]);
  });

  test('several are listed once for each baseline', () => {
    const rests = ['a', 'b', 'c'].map(name => ({ name, label: name.toUpperCase() }));
    const [warning] = teacherWarnings({
      study,
      declared: [0],
      records: accuracyRecords({ 'relation/mae': [0.9], 'teachers/a': [0.8], 'teachers/b': [0.91], 'teachers/c': [0.7] }),
      headline: { name: 'accuracy', label: 'accuracy', unit: 'fraction', better: 'higher' },
      baselines: [{ ablation: 'relation', arm: 'mae', label: 'MAE', rests }],
    });
    expect(warning).toBe('A (80.00\u00a0%, 1 seed) and C (70.00\u00a0%, 1 seed) are no better than MAE (90.00\u00a0%, 1 seed), the baseline: arms that rest on them have little to gain.');
  });
});

/** By arm: images of its own stages and, where it has one, of its teacher, as `labelled + unlabelled`. */
type Images = Readonly<Record<string, { readonly own: readonly [number, number]; readonly teacher?: readonly [number, number] }>>;

const cost = ([labelledImages, unlabelledImages]: readonly [number, number]): StageCost => ({ labelledImages, unlabelledImages, flops: 0 });

function imageRecords(ablation: string, images: Images): ReportRecord[] {
  return Object.entries(images).flatMap(([arm, { own, teacher }]) => {
    const record = (kind: string, role: string, spent: StageCost): ReportRecord => ({
      key: sampleKey(ablation, arm, role),
      kind,
      seed: 0,
      state: 'done',
      uses: [{ ablation, arm, seed: 0, role }],
      result: { accuracy: 0.8, accuracy_se: 0.004 },
      cost: spent,
      curves: {},
    });
    return [record('finetune', 'finetune', cost(own)), record('evaluate', 'evaluate', cost([0, 0])), ...(teacher === undefined ? [] : [record('pretrain', 'teacher', cost(teacher))])];
  });
}

function imagesOf(images: Images, claims: readonly ClaimResult[] = [], elsewhere: Images = {}) {
  const records = [...imageRecords('x', images), ...imageRecords('other', elsewhere)];
  const placed = placeRecords(records, 'x');
  const arms = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].slice(0, Math.max(2, Object.keys(images).length)).map(name => ({ name, label: name.toUpperCase(), placed: placed.get(name) ?? [] }));
  const baselines = Object.keys(elsewhere).map(arm => ({ ablation: 'other', arm, label: `other: ${arm}`, rests: [] }));
  return tableImages({ study, role: 'evaluate', ablation: { name: 'x', default: 'a' }, arms, claims, baselines, records });
}

const STUDENT = { own: [1000, 4000], teacher: [0, 9000] } as const;
const MAE = { own: [1000, 9000] } as const;

describe('how many images were seen', () => {
  test('is said once where all arms agree, with their teacher and a baseline of another table', () => {
    expect(imagesOf({ a: STUDENT, b: STUDENT }, [], { mae: MAE }).line).toBe(
      'Images seen in training, with + without labels: each arm: 1,000 + 4,000 (teacher 0 + 9,000); the baseline other: mae: 1,000 + 9,000.',
    );
  });

  test('is said of each kind of arm', () => {
    expect(imagesOf({ a: MAE, b: STUDENT, c: STUDENT, d: STUDENT }).line).toBe('Images seen in training, with + without labels: A: 1,000 + 9,000; each other arm: 1,000 + 4,000 (teacher 0 + 9,000).');
    expect(imagesOf({ a: MAE, b: MAE, c: MAE, d: STUDENT, e: STUDENT, f: STUDENT }).line).toBe(
      'Images seen in training, with + without labels: 3 arms such as A: 1,000 + 9,000; 3 arms such as D: 1,000 + 4,000 (teacher 0 + 9,000).',
    );
    expect(imagesOf({ a: MAE, b: MAE, c: { own: [3000, 0] }, d: STUDENT, e: STUDENT }).line).toMatch(/: C: 3,000 \+ 0; A and B: 1,000 \+ 9,000; each other arm: /);
  });

  test('of many kinds is a range', () => {
    expect(imagesOf({ a: MAE, b: STUDENT, c: { own: [3000, 0] }, d: { own: [1000, 8000], teacher: [0, 13_000] } }).line).toBe(
      'Images seen in training, with + without labels: arms 1,000 to 3,000 + 0 to 9,000 (teacher 0 + 9,000 to 13,000).',
    );
  });

  test('does not count what was trained elsewhere, and is not said of what is not measured', () => {
    expect(imagesOf({ a: { own: [1000, 4000], teacher: [0, 0] } }).line).toBe('Images seen in training, with + without labels: A: 1,000 + 4,000 (teacher not trained here).');
    expect(imagesOf({}).line).toBeUndefined();
  });
});

describe('an arm beside one that saw more', () => {
  const compare = (arm: string, than: string): ClaimResult => {
    const claim = judgedClaim('undecided');
    const name = (of: string) => ({ ablation: 'x', arm: of, label: of });
    return { ...claim, pairs: [{ ...claim.pairs[0]!, arm: name(arm), than: name(than) }] };
  };

  test('is marked: the default arm is compared with all', () => {
    const { fewer } = imagesOf({ a: STUDENT, b: MAE, c: STUDENT });
    expect([...fewer]).toEqual([['a', 'Saw fewer images in training than B that it is compared with.']]);
    expect([...imagesOf({ a: MAE, b: STUDENT, c: STUDENT }).fewer.keys()]).toEqual(['b', 'c']);
  });

  test('is marked where a claim compares them, whichever side it is on', () => {
    const images = { a: STUDENT, b: STUDENT, c: { own: [1000, 4010] }, d: { own: [1000, 4010] } } as const;
    // Batches that do not divide an epoch are no difference.
    expect(imagesOf(images).fewer.size).toBe(0);
    const more = { ...images, c: { own: [1000, 8000] }, a: { own: [1000, 8000] } } as const;
    expect([...imagesOf(more, [compare('d', 'c')]).fewer.keys()].sort()).toEqual(['b', 'd']);
    expect([...imagesOf({ a: STUDENT, b: STUDENT, c: STUDENT }, [compare('b', 'c')]).fewer]).toEqual([]);
  });

  test('does not count what its teacher saw', () => {
    expect(imagesOf({ a: { own: [1000, 4000], teacher: [0, 1e6] }, b: { own: [1000, 4000] } }).fewer.size).toBe(0);
  });

  test('several that saw more are not named one by one', () => {
    const { fewer } = imagesOf({ a: STUDENT, b: MAE, c: { own: [0, 3000] } }, [compare('c', 'b')]);
    expect(new Set(fewer.values())).toEqual(new Set(['Saw fewer images in training than B that it is compared with.']));
    const two = imagesOf({ a: STUDENT, b: MAE, c: { own: [0, 3000] } });
    expect(new Set(two.fewer.values())).toEqual(new Set(['Saw fewer images in training than an arm that it is compared with.']));
  });
});
