import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadEveryAblation, loadExperiments, loadStudy } from '../../../src/core/ablation/load.ts';
import { buildPlan, type Plan } from '../../../src/core/plan/plan.ts';
import { headroomOf } from '../../../src/core/report/model/headroom.ts';
import { factors, type Factors } from '../../../src/tinymim/factors.ts';
import { teachersOf } from '../../../src/tinymim/teachers.ts';

const experiments = fileURLToPath(new URL('../../../experiments', import.meta.url));
const teachers = (choice: Partial<Factors>): string[] => teachersOf(factors.parse(choice)).map(({ name, label }) => `${name}: ${label}`);

describe('the teachers of an arm', () => {
  test('are all those of its sequence, each by what it is', () => {
    expect(teachers({})).toEqual(['mae-l: MAE ViT-L, fine-tuned']);
    expect(teachers({ student: 'S', teachers: ['L', 'B'] })).toEqual(['mae-l: MAE ViT-L, fine-tuned', 'tinymim-b-from-l: TinyMIM ViT-B (from MAE-L), fine-tuned']);
    expect(teachers({ student: 'T', teachers: ['L', 'B', 'S'], target: 'class-token', teacherTarget: 'same', schedule: 'main' }).slice(1)).toEqual([
      'class-token-b-from-l-schedule-main: Class token ViT-B (from MAE-L), schedule main, fine-tuned',
      'class-token-s-from-l-b-teachertarget-same-schedule-main: Class token ViT-S (from MAE-L, B), teacherTarget same, schedule main, fine-tuned',
    ]);
  });

  test.each(['mae', 'scratch'] as const)('an arm with method %s has none', method => {
    expect(teachers({ method })).toEqual([]);
  });
});

/** Keys of all stages that teach another of the kind. */
const teaching = (plan: Plan, kind: string): Set<string> => new Set([...plan.stages.values()].flatMap(stage => (stage.kind === kind ? (stage.upstream['teacher'] ?? []) : [])));

describe.each([
  ['smoke', []],
  ['smoke', ['teacher_seed="replicate"']],
  ['imagenet1k', []],
] as const)('declared arms at %s %j', (profile, sets) => {
  const seeds = [0, 3];

  test('have each teacher fine-tuned and tested beside them, at each seed, and change no key for it', async () => {
    const loaded = await loadExperiments(experiments, { profile, sets });
    const plan = buildPlan({ ...loaded, seeds });
    const own = loaded.ablations.filter(({ declaration }) => declaration.name !== 'teachers');
    const alone = buildPlan({ ...loaded, ablations: own, seeds });
    expect(plan.arms.slice(0, alone.arms.length)).toEqual(alone.arms);
    const headroom = plan.arms.slice(alone.arms.length);
    const finetuned = headroom.map(({ final }) => plan.stages.get(plan.stages.get(final)!.upstream['weights']!)!);
    expect(new Set(finetuned.map(({ upstream }) => upstream['weights']))).toEqual(teaching(alone, 'distill'));
    // What classifies for a student is one of them.
    const classifying = teaching(alone, 'finetune');
    expect(classifying.size).toBeGreaterThan(0);
    expect(finetuned.map(({ key }) => key)).toEqual(expect.arrayContaining([...classifying]));
    // What every table needs is run once.
    expect(new Set(headroom.map(({ final }) => final)).size).toBe(headroom.length);
  });
});

describe('every declared table with a distilled arm', () => {
  test('shows all teachers of its arms, and knows which arm they are to beat', async () => {
    const study = await loadStudy(experiments);
    const ablations = await loadEveryAblation(experiments, study);
    const tables = ablations.filter(({ arms }) => arms.some(arm => arm.headroom !== undefined));
    expect(tables.length).toBeGreaterThan(10);
    for (const { declaration, arms } of tables) {
      const { arms: rows, footnote = '', baselines } = headroomOf(study, declaration.name, ablations);
      const needed = new Set(arms.flatMap(arm => arm.headroom ?? []));
      const shown = baselines.flatMap(({ rests }) => rests).filter(({ name, label }) => rows.some(row => row.name === name) || footnote.includes(`${label} (`));
      expect([declaration.name, new Set(shown.map(({ name }) => name))]).toEqual([declaration.name, needed]);
      // The MAE of the size of each student.
      const sizes = new Set(arms.filter(arm => arm.headroom !== undefined).map(({ factors: { student } }) => student));
      expect([declaration.name, baselines.length]).toEqual([declaration.name, sizes.size]);
    }
  });
});
