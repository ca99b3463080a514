import { describe, expect, test } from 'vitest';
import { canonicalRecipe } from '../../../src/core/ablation/as-before.ts';
import { assumptionsOf } from '../../../src/core/ablation/assumptions.ts';
import { UsageError } from '../../../src/core/ablation/errors.ts';
import { revisionOf } from '../../../src/core/ablation/identity.ts';
import type { StageSpec } from '../../../src/core/ablation/declaration.ts';
import { factors, type Factors } from '../../../src/tinymim/factors.ts';
import { profile as profileSchema } from '../../../src/tinymim/profile.ts';
import { realise } from '../../../src/tinymim/realise.ts';
import study from '../../../src/tinymim/study.ts';
import desk from '../../../experiments/profiles/desk.ts';
import imagenet1k from '../../../experiments/profiles/imagenet1k.ts';
import mini from '../../../experiments/profiles/mini.ts';
import photos from '../../../experiments/profiles/photos.ts';
import small from '../../grid/profiles/mini.ts';

const paper = profileSchema.parse(imagenet1k);

/** The distilling stage of an arm, at the paper's sizes unless another profile is named. */
const distilled = (choice: Partial<Factors>, profile = paper, seed = 7): StageSpec => realise(factors.parse(choice), profile, seed).upstream['weights']!.upstream['weights']!;
const recipe = (stage: StageSpec | undefined): Record<string, unknown> => stage!.recipe;
const teacher = (stage: StageSpec): StageSpec => stage.upstream['teacher']!;
const messages = (choice: object): string[] => factors.safeParse(choice).error?.issues.map(i => `${i.path.join('.')}: ${i.message}`) ?? [];

describe('factors', () => {
  test("left out, they are the default of the paper's ablations", () => {
    const stage = distilled({});
    expect(recipe(stage)).toMatchObject({
      target: { family: 'relation', pairs: ['qk', 'vv'], loss: 'kl', heads: 'aligned' },
      teacher_block: 18,
      drop_path: 0.1,
      teacher_drop_path: 0,
      mask_ratio: 0,
      reconstruction: null,
      student_jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 },
      model: { embed_dim: 768, num_heads: 12, last_block_heads: 16 },
      schedule: { epochs: 100, warmup_epochs: 5 },
    });
    expect(recipe(teacher(stage))).toMatchObject({ model: { embed_dim: 1024, depth: 24 } });
    expect(teacher(stage).seed).toBe(0);
    expect(stage.seed).toBe(7);
  });

  test.each([
    [{ method: 'mae', teachers: ['B'] }, /^teachers: expected no 'teachers' in an arm with method 'mae' or 'scratch'/],
    [{ method: 'scratch', maskRatio: 0.5 }, /^maskRatio/],
    [{ target: 'feature', softmax: false }, /^softmax: expected no 'softmax' in an arm with target 'feature' or 'class-token'/],
    [{ feature: 'ffn' }, /^feature/],
    [{ relationLoss: 'smooth-l1' }, /^relationLoss: .* softmax, whose loss is the KL divergence/],
    [{ teacherInput: 'visible' }, /^teacherInput: .*raw image/],
    [{ reconstruction: 1 }, /^reconstruction: .*raw image/],
    [{ target: 'feature', feature: 'qkv', finalNorm: true }, /^finalNorm/],
    [{ method: 'mae', schedule: 'main' }, /^schedule/],
    [{ method: 'mae', finetuneTeacher: 'L' }, /^finetuneTeacher: expected no 'finetuneTeacher' in an arm with method 'mae' or 'scratch'/],
    [{ teachers: ['L', 'B'], finetuneTeacher: 'S' }, /^finetuneTeacher: .*none of whose teachers has that size/],
    [{ finetuneDistillation: 'soft' }, /^finetuneDistillation: .*fine-tuned with labels alone/],
    [{ method: 'mae', implementation: 'pytorch' }, /^implementation: expected no 'implementation' in an arm with method 'mae' or 'scratch'/],
    [{ target: 'feature', implementation: 'pytorch' }, /^implementation: .*target 'feature' or 'class-token'/],
    [{ softmax: false, implementation: 'pytorch' }, /^implementation: .*without softmax/],
    [{ headAlignment: false, implementation: 'pytorch' }, /^implementation: .*averaged over heads/],
    [{ maskRatio: 0.5, implementation: 'pytorch' }, /^implementation: .*whose student is masked/],
    [{ finetuneTeacher: 'L', implementation: 'pytorch' }, /^implementation: .*a teacher in its fine-tuning, too/],
  ])('a choice that would change nothing is refused: %j', (choice, message) => {
    expect(messages(choice)).toEqual([expect.stringMatching(message)]);
  });

  test('schedule main is three times as long, warm-up included', () => {
    expect(recipe(distilled({ schedule: 'main' }))['schedule']).toMatchObject({ epochs: 300, warmup_epochs: 15 });
  });
});

describe('the block of the teacher', () => {
  test.each([
    ['L' as const, 18],
    ['B' as const, 12],
    ['S' as const, 12],
  ])('of a MAE-%s is %d, as in the released code', (size, block) => {
    expect(recipe(distilled({ student: 'T', teachers: [size] }))['teacher_block']).toBe(block);
  });

  test.each([
    [1 / 2, 12],
    [5 / 8, 15],
    [3 / 4, 18],
    [7 / 8, 21],
    [1, 24],
  ])('at place %d of 24 blocks is %d', (place, block) => {
    expect(recipe(distilled({ teacherBlock: place }))['teacher_block']).toBe(block);
  });

  test('output features are those of the last block, after the final norm; the FFN feature after its residual is that of the default block', () => {
    expect(recipe(distilled({ target: 'feature', feature: 'output' }))).toMatchObject({ teacher_block: 24, target: { feature: 'block', final_norm: true } });
    expect(recipe(distilled({ target: 'feature', feature: 'ffn-residual' }))).toMatchObject({ teacher_block: 18, target: { feature: 'block', final_norm: false } });
  });

  test('between two blocks is refused', () => {
    expect(() => distilled({ teacherBlock: 0.3 })).toThrow(/24 blocks of the L teacher, got 0.3 \(block 7.2/);
  });
});

describe('a sequence of teachers', () => {
  const chain = distilled({ student: 'T', teachers: ['L', 'B', 'S'] });

  test('is a chain of distillations that starts at the released MAE, each in a role of its own', () => {
    const stages = [chain, teacher(chain), teacher(teacher(chain)), teacher(teacher(teacher(chain)))];
    expect(stages.map(s => [s.kind, s.role])).toEqual([
      ['distill', 'distill'],
      ['distill', 'teacher-3'],
      ['distill', 'teacher-2'],
      ['checkpoint', 'teacher'],
    ]);
    expect(stages.map(s => (recipe(s)['model'] as { embed_dim: number }).embed_dim)).toEqual([192, 384, 768, 1024]);
    expect(stages.map(s => s.seed)).toEqual([7, 7, 7, 0]);
  });

  test('passes on the heads that each teacher was distilled with', () => {
    expect(recipe(teacher(teacher(chain)))['model']).toMatchObject({ num_heads: 12, last_block_heads: 16 });
    expect(recipe(teacher(chain))['model']).toMatchObject({ num_heads: 6, last_block_heads: 16 });
    expect(recipe(chain)).toMatchObject({ teacher_block: 12, model: { num_heads: 6, last_block_heads: 16 } });
  });

  test('may have teachers whose last block is rebuilt with the heads of the others: then S has the 12 of the released code', () => {
    const rebuilt = distilled({ student: 'T', teachers: ['L', 'B', 'S'], teacherHeads: 'rebuilt' });
    expect(recipe(teacher(teacher(rebuilt)))).toEqual(recipe(teacher(teacher(chain)))); // MAE-L is not concerned
    expect(recipe(teacher(rebuilt))).toMatchObject({ teacher_last_block_heads: 12, model: { num_heads: 6, last_block_heads: 12 } });
    expect(recipe(rebuilt)).toMatchObject({ teacher_last_block_heads: 6, model: { num_heads: 6 } });
    expect(recipe(rebuilt)['model']).not.toHaveProperty('last_block_heads');
    expect(recipe(chain)['teacher_last_block_heads']).toBeNull();
  });

  test('whose last block is not read, or has the heads of the others, is no other one rebuilt', () => {
    const earlier = { student: 'S', teachers: ['L', 'B'], teacherBlock: 1 / 2 } satisfies Partial<Factors>;
    expect(recipe(distilled({ ...earlier, teacherHeads: 'rebuilt' }))).toEqual(recipe(distilled(earlier)));
    expect(messages({ teachers: ['L', 'B'], teacherTarget: 'same', headAlignment: false, teacherHeads: 'rebuilt' })).toEqual([
      expect.stringMatching(/^teacherHeads: .*same number of heads in all blocks/),
    ]);
    expect(messages({ teacherHeads: 'rebuilt' })).toEqual([expect.stringMatching(/^teacherHeads: .*single teacher/)]);
  });

  test('distills B as an arm of its own does, so that both share the stage', () => {
    expect(recipe(teacher(distilled({ student: 'S', teachers: ['L', 'B'] })))).toEqual(recipe(distilled({ student: 'B', teachers: ['L'] })));
  });

  const fromTinyMim = { student: 'S', teachers: ['L', 'B'] } satisfies Partial<Factors>;

  test.each([
    [{ target: 'feature', feature: 'output' }, /feature block of its block 12: its distillation left proj, norm2, mlp, norm/],
    [{ target: 'feature', feature: 'ffn' }, /left proj, norm2, mlp of/],
    [{ target: 'feature', feature: 'attention' }, /left proj of/],
    [{ target: 'class-token' }, /class-token of its block 12/],
    [{ relations: ['qq', 'kk', 'vv'] }, undefined],
    [{ target: 'feature', feature: 'qkv' }, undefined],
    [{ target: 'feature', feature: 'ffn', teacherBlock: 11 / 12 }, undefined],
    [{ target: 'feature', feature: 'ffn', teacherTarget: 'same' }, undefined],
    [{ target: 'class-token', teacherTarget: 'same' }, undefined],
  ] satisfies [Partial<Factors>, RegExp | undefined][])('whose teachers learned relations, and %j of the last block: refused where it is untrained', (choice, refusal) => {
    const arm = (): StageSpec => distilled({ ...fromTinyMim, ...choice });
    if (refusal) expect(arm).toThrow(refusal);
    else expect(arm).not.toThrow();
  });

  test('has teachers that learned the default, or the same as the student', () => {
    const other = distilled({ ...fromTinyMim, jitter: false });
    expect(recipe(teacher(other))['student_jitter']).not.toBeNull();
    expect(recipe(teacher(distilled({ ...fromTinyMim, jitter: false, teacherTarget: 'same' })))['student_jitter']).toBeNull();
    expect(messages({ teacherTarget: 'same' })).toEqual([expect.stringContaining('single teacher')]);
  });
});

describe('seeds', () => {
  test('of the MAE teacher: one for all replicates, or each its own', () => {
    const { teachers, ...trained } = paper;
    expect(Object.keys(teachers!)).toEqual(['B', 'L']);
    const own = { ...trained, teacher_seed: 'replicate' as const };
    expect(teacher(distilled({}, trained, 3))).toMatchObject({ kind: 'pretrain', seed: 0 });
    expect(teacher(distilled({}, own, 3))).toMatchObject({ kind: 'pretrain', seed: 3 });
    expect(study.report.notes(own, true).join(' ')).toContain('each replicate has its own');
    expect(study.report.notes(paper, true).join(' ')).toContain('given one MAE teacher');
  });

  test('of a checkpoint: none, and no replicate has another', () => {
    const { model } = teacher(distilled({}, { ...paper, teachers: { L: null } })).recipe as { model: object };
    expect(teacher(distilled({}, paper, 3))).toEqual({ kind: 'checkpoint', role: 'teacher', seed: 0, upstream: {}, recipe: { model, sha256: { not_imported: 'mae-vit-l' } } });
    const own = profileSchema.safeParse({ ...paper, teacher_seed: 'replicate' });
    expect(own.error?.issues.map(({ path, message }) => [path.join('.'), message])).toEqual([
      ['teacher_seed', expect.stringMatching(/^expected a seed, as the B teacher is the checkpoint mae-vit-b/)],
      ['teacher_seed', expect.stringMatching(/^expected a seed, as the L teacher is the checkpoint mae-vit-l/)],
    ]);
  });

  test("of the MAE baseline is the replicate's", () => {
    expect(realise(factors.parse({ method: 'mae' }), paper, 5).upstream['weights']!.upstream['weights']!.seed).toBe(5);
  });
});

describe('heads', () => {
  test('that do not divide the width are refused with the way out', () => {
    const odd = { ...paper, model: { ...paper.model, sizes: { ...paper.model.sizes, B: { embed_dim: 600, depth: 12, num_heads: 12 } } } };
    expect(() => distilled({}, odd)).toThrow(/16 heads of its L teacher divide, got width 600.*headAlignment/);
    expect(() => distilled({ headAlignment: false }, odd)).not.toThrow();
  });

  test('of ViT-T are 6 when it is distilled and 3 as a classifier', () => {
    const arm = realise(factors.parse({ student: 'T' }), paper, 0);
    expect(recipe(arm.upstream['weights'])['model']).toMatchObject({ num_heads: 3 });
    expect(recipe(arm.upstream['weights']!.upstream['weights'])['model']).toMatchObject({ num_heads: 6 });
  });
});

describe('fine-tuning', () => {
  test('of ViT-L follows its own line, the others the common one', () => {
    const finetuned = (student: Factors['student']) => recipe(realise(factors.parse({ method: 'mae', student }), paper, 0).upstream['weights']);
    expect(finetuned('L')).toMatchObject({ layer_decay: 0.75, schedule: { epochs: 50, base_lr: 1e-3, batch_size: 1024 } });
    expect(finetuned('B')).toMatchObject({ layer_decay: 0.65, drop_path: 0.1, schedule: { epochs: 100, base_lr: 5e-4 } });
    expect(finetuned('L')).toMatchObject({ drop_path: 0.2 });
    expect(recipe(realise(factors.parse({}), paper, 0).upstream['weights'])).toMatchObject({ drop_path: 0.2 });
  });
});

describe('fine-tuning of TinyMIM*', () => {
  const star = { student: 'T', teachers: ['L', 'B', 'S'], schedule: 'main', finetuneTeacher: 'L' } satisfies Partial<Factors>;
  const finetuned = (choice: Partial<Factors>, profile = paper): StageSpec => realise(factors.parse(choice), profile, 7).upstream['weights']!;

  test("is ten times as long, with 12 heads in every block, two of them at the end on 1280 features, and DeiT's loss", () => {
    const { finetuneTeacher, ...plain } = star;
    expect(recipe(finetuned(star))).toEqual({
      ...recipe(finetuned(plain)),
      model: { ...(recipe(finetuned(plain))['model'] as object), num_heads: 12, pool: 'class_token', dist_token: true, feature_dim: 1280 },
      schedule: { ...(recipe(finetuned(plain))['schedule'] as object), epochs: 1000 },
      distillation: { type: 'hard', alpha: 0.5 },
    });
    expect(recipe(finetuned(plain))['schedule']).toMatchObject({ epochs: 100 });
    expect(recipe(finetuned({ ...star, finetuneDistillation: 'soft' }))['distillation']).toEqual({ type: 'soft', alpha: 0.5, tau: 1 });
    expect(finetuned(star).upstream['weights']).toEqual(finetuned(plain).upstream['weights']);
    expect(finetuneTeacher).toBe('L');
  });

  test.each<[Factors['finetuneTeacher'], Partial<Factors>]>([
    ['L', { method: 'mae', mae: 'teacher', student: 'L' }],
    ['B', { student: 'B', teachers: ['L'], schedule: 'main' }],
    ['S', { student: 'S', teachers: ['L', 'B'], schedule: 'main' }],
  ])('has the %s of its teachers classify, fine-tuned as the arm of its own that stands beside the table', (finetuneTeacher, own) => {
    const teaching = teacher(finetuned({ ...star, finetuneTeacher }));
    expect(teaching.role).toBe('finetune-teacher');
    const ofArm = finetuned(own);
    expect([teaching.kind, teaching.recipe, teaching.seed]).toEqual([ofArm.kind, ofArm.recipe, ofArm.seed]);
    // In another role, as it also begins the sequence.
    expect(teaching.upstream['weights']!.recipe).toEqual(ofArm.upstream['weights']!.recipe);
  });

  test('its teachers have learned from labels alone, also where they learn the same as their student', () => {
    const same = finetuned({ ...star, target: 'class-token', teacherTarget: 'same', finetuneTeacher: 'B' });
    expect(recipe(teacher(same))['distillation']).toBeUndefined();
    expect(recipe(teacher(same))['model']).not.toHaveProperty('dist_token');
  });

  test('is refused at a profile that does not declare it', () => {
    const { finetune_with_teacher, ...without } = imagenet1k;
    expect(finetune_with_teacher.epochs).toBe(1000);
    expect(() => finetuned(star, profileSchema.parse(without))).toThrow(/^Expected 'finetune_with_teacher' in the profile imagenet1k/);
  });
});

describe('training from scratch', () => {
  const scratch = (declared: ReturnType<typeof profileSchema.parse>) => realise(factors.parse({ method: 'scratch', student: 'T' }), declared, 0);
  const canonical = (stage: StageSpec) =>
    canonicalRecipe(
      study.kinds.find(k => k.name === stage.kind)!,
      stage.recipe,
    ).data!;

  test("at the paper's scale is DeiT's, its head as in fine-tuning nowhere else", () => {
    const stage = scratch(paper).upstream['weights']!;
    expect(canonical(stage)).toMatchObject({
      init: 'trunc_normal',
      pos_embed: 'learned',
      model: { pool: 'class_token', num_heads: 3 },
      optimizer: { weight_decay: 0.05, betas: [0.9, 0.999], ema_decay: 0.99996 },
      schedule: { epochs: 300, warmup_epochs: 5, batch_size: 1024, base_lr: 2.5e-4, min_lr: 1e-5 },
      drop_path: 0.1,
      label_smoothing: 0.1,
      augment: { repeats: 3, random_erase: 0.25, rand_augment: 'rand-m9-mstd0.5-inc1', mixing: { mixup: 0.8, cutmix: 1, switch_prob: 0.5 } },
    });
    const fact = (p: typeof paper) => study.report.facts(p).find(({ label }) => label === 'From scratch')!.value;
    expect(fact(paper)).toMatch(/per 256 images, weights drawn as in timm, learned positions, pooling by the class token, average of the weights 0\.99996$/);
    expect(fact(profileSchema.parse(mini))).toMatch(/per 256 images$/);
    const finetuned = canonical(realise(factors.parse({}), paper, 0).upstream['weights']!);
    expect(finetuned['model']).not.toHaveProperty('pool');
    expect(finetuned['optimizer']).toEqual({ weight_decay: 0.05, betas: [0.9, 0.999] });
  });

  test.each([
    ['mini', mini],
    ['desk', desk],
    ['photos', photos],
    ['small', small],
  ] as const)('in %s starts and pools as all its classifiers do: its recipe says nothing else, and its assumptions why', (_, declared) => {
    const recipeOf = canonical(scratch(profileSchema.parse(declared)).upstream['weights']!);
    for (const field of ['init', 'pos_embed']) expect(recipeOf).not.toHaveProperty(field);
    expect(recipeOf['model']).not.toHaveProperty('pool');
    expect(recipeOf['optimizer']).not.toHaveProperty('ema_decay');
    const assumed = study.report.assumptions!(profileSchema.parse(declared)).filter(({ field }) => field.startsWith('supervise.'));
    expect(assumed.map(({ field, value }) => [field, value])).toEqual([
      ['supervise.init', '"mae"'],
      ['supervise.pos_embed', '"sincos"'],
      ['supervise.pool', '"mean"'],
      ['supervise.optimizer.ema_decay', 'null'],
    ]);
  });
});

describe('profiles', () => {
  test('photos changes labelled images as imagenet1k does: crops, flips, RandAugment, erasing and mixing', () => {
    const { flip, rand_augment, random_erase, mixing } = imagenet1k.finetune.augment;
    expect(photos.supervise.augment).toMatchObject({ flip, rand_augment, random_erase, mixing });
    expect(photos.finetune.augment).toEqual(photos.supervise.augment);
  });

  test.each([
    ['mini', mini],
    ['desk', desk],
    ['photos', photos],
    ['imagenet1k', imagenet1k],
  ] as const)("%s keeps the paper's ratio of labelled epochs: scratch three times fine-tuning", (_, declared) => {
    expect(declared.supervise.schedule.epochs / declared.finetune.schedule.epochs).toBe(3);
  });

  test('desk distills at least 400,000 images an arm with five seeds', () => {
    const distill = distilled({}, profileSchema.parse(desk)),
      pretrained = teacher(distilled({}, profileSchema.parse({ ...desk, teachers: {} })));
    const kind = study.kinds.find(k => k.name === 'distill')!;
    expect(kind.cost(distill.recipe, { teacher: pretrained.recipe }).unlabelledImages).toBeGreaterThan(400_000);
    expect(desk.seeds).toHaveLength(5);
  });

  test('the L teacher of mini, desk and photos has every block of Table 10', () => {
    for (const declared of [mini, desk, photos]) expect(declared.model.sizes.L.depth % 8).toBe(0);
  });

  /** Paths of all values, a list counting as one. */
  const leaves = (value: unknown, path: string): string[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
      ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, path === '' ? name : `${path}.${name}`))
      : [path];

  test('every value of imagenet1k has a source or says that it is assumed', () => {
    const { sources = {}, ...values } = paper;
    const described = ['name', 'title', 'comparable', 'pytorch']; // decide no number of a stage
    const paths = leaves(values, '');
    expect(paths).toContain('distill.schedule.warmup_epochs');
    const without = paths.filter(path => !described.includes(path) && !Object.keys(sources).some(s => path === s || path.startsWith(`${s}.`)));
    // These two bring their own.
    expect(without.filter(path => !/^(?:throughput|verdicts)\b/.test(path))).toEqual([]);
  });

  test('no source of imagenet1k names a value that is not there', () => {
    const paths = leaves(paper, ''),
      sourced = Object.keys(imagenet1k.sources);
    expect(sourced.length).toBeGreaterThan(0);
    expect(sourced.filter(s => !paths.some(path => path === s || path.startsWith(`${s}.`)))).toEqual([]);
  });

  test('assumptions are listed with value and reason', () => {
    const found = study.report.assumptions!(paper);
    const warmup = found.find(a => a.field === 'distill.schedule.warmup_epochs');
    expect(warmup?.value).toBe('5');
    expect(warmup?.reason).toMatch(/^the README has 15 epochs of 300/);
    expect(found.every(a => a.value !== undefined && a.reason !== '')).toBe(true);
  });

  test('an assumed value that --set changes rests on the command line', () => {
    const reasons = (overrides: string[]) => Object.fromEntries(assumptionsOf(study, paper, overrides).map(a => [a.field, a.reason]));
    const changed = reasons(['finetune.layer_decay=0.7', 'finetune.augment.crop.scale[0]=0.2']);
    expect(changed['finetune.layer_decay']).toBe('changed by --set');
    expect(changed['finetune.augment.crop']).toBe('changed by --set');
    expect(reasons(['finetune.augment={}'])['finetune.augment.crop']).toBe('changed by --set');
    expect(changed['finetune.drop_path']).toBe(reasons([])['finetune.drop_path']);
  });

  test('how many images of ImageNet are held out is an assumption, where any are', () => {
    const held = profileSchema.parse({ ...imagenet1k, data: { name: 'imagenet1k', validation: 50_000 } });
    const listed = (of: typeof paper, overrides: string[]) => assumptionsOf(study, of, overrides).filter(({ field }) => field === 'data.validation');
    expect(listed(paper, [])).toEqual([]);
    expect(listed(held, [])).toEqual([{ field: 'data.validation', value: '50000', reason: 'held out of the training images for choosing; no source says how many' }]);
    expect(listed(held, ['data.validation=50000'])[0]?.reason).toBe('changed by --set');
  });

  test('imagenet1k waits for its folder alone', () => {
    expect(study.notRunnable!(paper)).toBeUndefined();
    expect(study.notReady!(paper, '/nowhere')).toMatchObject({
      what: expect.stringMatching(/^Expected the folder of ImageNet-1K, got none/) as string,
      mend: ['setup', '--data', 'imagenet1k=/path/to/folder'],
    });
  });

  test('tf32 runs on GPUs alone, in processes that were started for it', () => {
    const inPrecision = (precision: 'float32' | 'tf32') => profileSchema.parse({ ...small, engine: { precision } });
    expect(study.notRunnable!(inPrecision('tf32'), ['gpu', 'cpu'])).toMatch(/expected workers on NVIDIA GPUs alone for tf32.*got workers on the CPU; set engine\.precision/);
    expect(study.notRunnable!(inPrecision('tf32'), ['gpu'])).toBeUndefined();
    expect(study.notRunnable!(inPrecision('float32'), ['cpu'])).toBeUndefined();
    const environments = (precision: 'float32' | 'tf32'): object[] => {
      const stages = (stage: StageSpec): StageSpec[] => [stage, ...Object.values(stage.upstream).flatMap(stages)];
      return stages(realise(factors.parse({}), inPrecision(precision), 0)).map(({ kind, recipe: r }) => study.kinds.find(({ name }) => name === kind)!.environment!(r));
    };
    expect(environments('tf32')).toEqual(environments('float32').map(() => ({ TINYMIM_TF32: '1' })));
  });

  test('GPU-hours are counted with the speed of the precision that is planned', () => {
    const speed = (precision: string): number => study.statedThroughput!(paper, { engine: { mode: 'graph', precision } })!.flopsPerSecond;
    // NVIDIA's data sheet of the A100: 19.5, 156 and 312 TFLOP/s.
    expect(speed('float32')).toBeCloseTo(0.7 * 19.5e12);
    expect(speed('tf32')).toBeCloseTo(0.4 * 156e12);
    expect(speed('bfloat16')).toBeCloseTo(0.4 * 312e12);
    expect(speed('bfloat16') / speed('float32')).toBeGreaterThan(9);
    expect(study.statedThroughput!(profileSchema.parse(mini), { engine: {} })).toBeUndefined();
  });

  test('mini says first that its conclusions are about its scale', () => {
    expect(study.report.notes(profileSchema.parse(mini), true)[0]).toContain('conclusions are about this scale');
  });
});

test('UsageError is what a wrong choice throws', () => {
  expect(() => distilled({ teacherBlock: 0.3 })).toThrow(UsageError);
});

describe('revisions', () => {
  const revisions = (precision: string) => {
    const scale = profileSchema.parse({ ...small, engine: { precision } });
    const of = (stage: StageSpec): (readonly [string, number])[] => {
      const kind = study.kinds.find(({ name }) => name === stage.kind)!;
      return [[stage.kind, revisionOf(kind, kind.recipe.parse(stage.recipe))], ...Object.values(stage.upstream).flatMap(of)];
    };
    return Object.fromEntries([...of(realise(factors.parse({}), scale, 1)), ...of(realise(factors.parse({ method: 'scratch' }), scale, 1))]);
  };
  test('of recipes in bfloat16 rose when its products changed, those in float32 kept theirs, and with them their keys', () => {
    expect(revisions('float32')).toEqual({ pretrain: 2, distill: 3, finetune: 2, supervise: 2, evaluate: 2 });
    expect(revisions('bfloat16')).toEqual({ pretrain: 3, distill: 4, finetune: 3, supervise: 3, evaluate: 3 });
  });
});
