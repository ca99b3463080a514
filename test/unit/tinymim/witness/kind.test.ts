/** An arm by the second implementation: which stage it is, and what is refused of it. */
import { describe, expect, it } from 'vitest';
import { canonicalRecipe } from '../../../../src/core/ablation/as-before.ts';
import type { JsonObject } from '../../../../src/core/ablation/kind.ts';
import type { StageSpec } from '../../../../src/core/ablation/declaration.ts';
import { factors, type Factors } from '../../../../src/tinymim/factors.ts';
import { realiseMeasures } from '../../../../src/tinymim/measures.ts';
import { profile as profileSchema, type Profile } from '../../../../src/tinymim/profile.ts';
import { realise } from '../../../../src/tinymim/realise.ts';
import { teachersOf } from '../../../../src/tinymim/teachers.ts';
import { witnessKind } from '../../../../src/tinymim/witness/kind.ts';
import mini from '../../../../experiments/profiles/mini.ts';
import witness from '../../../../experiments/profiles/witness.ts';

const scale = profileSchema.parse(witness);
const arm = (choice: Partial<Factors> = {}): Factors => factors.parse({ student: 'T', teachers: ['L', 'B', 'S'], schedule: 'main', ...choice });
const ours = realise(arm(), scale, 7);
const pytorch = realise(arm({ implementation: 'pytorch' }), scale, 7);
const weights = (stage: StageSpec): StageSpec => stage.upstream['weights']!;

describe("an arm with implementation 'pytorch'", () => {
  it('is one stage, of the teacher and by the recipes of the three that ours would be', () => {
    const [finetune, distill] = [weights(ours), weights(weights(ours))];
    expect(pytorch).toEqual({
      kind: 'witness',
      role: 'evaluate',
      seed: 7,
      recipe: { teacher: distill.upstream['teacher']!.recipe['model'], distill: distill.recipe, finetune: finetune.recipe, evaluate: ours.recipe },
      upstream: { teacher: distill.upstream['teacher'] },
    });
  });

  it('sees the heads of its teacher that the distillation is told', () => {
    const { recipe } = realise(arm({ teacherHeads: 'rebuilt', implementation: 'pytorch' }), scale, 7);
    expect((recipe['teacher'] as JsonObject)['last_block_heads']).toBe(2);
  });

  it('rests on teachers of our making', () => {
    for (const teacherTarget of ['relation', 'same'] as const) expect(teachersOf(arm({ teacherTarget, implementation: 'pytorch' }))).toEqual(teachersOf(arm({ teacherTarget })));
  });

  it('costs what ours costs', () => {
    const teacher = pytorch.upstream['teacher']!.recipe;
    expect(witnessKind.cost(pytorch.recipe, { teacher })).toMatchObject({ labelledImages: 21_504, unlabelledImages: 246_528 });
  });
});

describe('the accuracy of both', () => {
  const measured = (choice: Partial<Factors>, names: string[], profile: Profile): StageSpec[] => realiseMeasures(arm(choice), profile, 7, names);

  it('is measured where a profile has PyTorch; elsewhere both arms are left out', () => {
    expect(measured({}, ['accuracy-of-both'], scale)).toEqual([ours]);
    expect(measured({ implementation: 'pytorch' }, ['accuracy-of-both'], scale)).toEqual([pytorch]);
    for (const choice of [{}, { implementation: 'pytorch' }] as const) expect(measured(choice, ['accuracy-of-both'], profileSchema.parse(mini))).toEqual([]);
  });

  it('is the only number that the second implementation has', () => {
    expect(measured({ implementation: 'pytorch' }, ['mce', 'miou', 'accuracy'], scale)).toEqual([pytorch]);
    expect(measured({ implementation: 'pytorch' }, ['mce', 'miou'], scale)).toEqual([]);
    expect(() => measured({ implementation: 'pytorch' }, ['accuracy'], profileSchema.parse(mini))).toThrow("Expected 'pytorch: true' in the profile mini");
  });
});

describe('what the script has not got is refused', () => {
  const objections = (change: (recipe: Record<string, Record<string, unknown>>) => void): string[] => {
    const recipe = structuredClone(pytorch.recipe) as Record<string, Record<string, unknown>>;
    change(recipe);
    const parsed = canonicalRecipe(witnessKind, recipe).data!;
    return (witnessKind.check?.(parsed, { teacher: pytorch.upstream['teacher']!.recipe }) ?? []).map(({ weight, field }) => `${weight} ${field}`);
  };

  it('nothing of the profile', () => {
    expect(objections(() => undefined)).toEqual([]);
  });

  it.each([
    ['impossible distill.engine.precision', r => (r['evaluate']!['engine'] = { mode: 'graph', precision: 'bfloat16' })],
    ['impossible distill.optimizer.ema_decay', r => (r['finetune']!['optimizer'] = { weight_decay: 0, betas: [0.9, 0.99], ema_decay: 0.9 })],
    ['impossible finetune.augment', r => (r['finetune']!['augment'] = { crop: null, flip: true, random_erase: 0.5 })],
    ['impossible finetune.model.pool', r => (r['finetune']!['model'] = { ...(r['finetune']!['model'] as object), pool: 'class_token' })],
    ['impossible evaluate.crop', r => (r['evaluate']!['crop'] = { resize: 32 })],
    // As of a stage of ours.
    ['impossible distill.schedule.batch_size', r => (r['distill']!['images'] = 100)],
  ] satisfies [string, (recipe: Record<string, Record<string, unknown>>) => void][])('%s', (objection, change) => {
    expect(objections(change)).toContain(objection);
  });

  it('other images', () => {
    expect(objections(r => (r['distill']!['data'] = { name: 'procedural', classes: 10, image_size: [28, 28], channels: 1, train: 1000, validation: 100, test: 100, seed: 0 }))).toContain(
      'impossible distill.data',
    );
  });
});
