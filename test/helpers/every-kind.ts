/** Every kind of stage once, at toy size: what functions of whatever kind need of a device, a sweep of seconds shows. */
import type { JsonObject, PackRunner, StageContext, StageRunner } from '../../src/core/ablation/kind.ts';
import { runDistillPack } from '../../src/tinymim/stages/distill.ts';
import { runEvaluate } from '../../src/tinymim/stages/evaluate.ts';
import { runEvaluateCorrupted } from '../../src/tinymim/stages/evaluate-corrupted.ts';
import { runFinetune } from '../../src/tinymim/stages/finetune.ts';
import { runPretrain } from '../../src/tinymim/stages/pretrain.ts';
import { distillRecipe, evaluateCorruptedRecipe, evaluateRecipe, finetuneRecipe, pretrainRecipe, superviseRecipe, type EngineRecipe } from '../../src/tinymim/stages/recipes.ts';
import { runSegmentEvaluate } from '../../src/tinymim/stages/segment/evaluate.ts';
import { segmentEvaluateRecipe, segmentRecipe } from '../../src/tinymim/stages/segment/recipes.ts';
import { runSegment } from '../../src/tinymim/stages/segment/segment.ts';
import { runSupervise } from '../../src/tinymim/stages/supervise.ts';
import { TARGETS } from './distill-model.ts';
import { image } from './distill-recipe.ts';
import { runPack, StageInFolder } from './run-stage.ts';
import { segmentEvaluateFields, segmentFields } from './segmentation.ts';

const decoder = { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 };
const teacher = { ...image, in_chans: 3, embed_dim: 24, depth: 3, num_heads: 6 };
const model = { ...teacher, embed_dim: 12, depth: 2, num_heads: 3 };
const fields = {
  data: { name: 'procedural', classes: 4, image_size: [8, 8], channels: 3, train: 32, validation: 16, test: 8, seed: 1 },
  images: null,
  schedule: { epochs: 1, warmup_epochs: 0, batch_size: 16, accumulation_steps: 2, base_lr: 0.01, min_lr: 0 },
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.95] },
  augment: { crop: null, flip: true },
};
const classifier = { ...fields, model, drop_path: 0.1, label_smoothing: 0.1 };
/** All that timm's recipe adds. */
const STRONG = { ...fields.augment, rand_augment: 'rand-m9-mstd0.5-inc1', random_erase: 0.25, repeats: 2, mixing: { mixup: 0.8, cutmix: 1, switch_prob: 0.5 } };
const student = {
  model,
  drop_path: 0.1,
  teacher_drop_path: 0.1,
  mask_ratio: 0,
  teacher_input: 'whole',
  reconstruction: null,
  student_jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 },
  teacher_block: 2,
};
const masked = { mask_ratio: 0.5, reconstruction: { weight: 0.5, decoder, norm_pix_loss: true } };

export interface EveryKindOptions {
  readonly engine: EngineRecipe;
  readonly place: { readonly device: 'cpu' | 'gpu'; readonly threads: number };
  readonly folder: string;
  /** Of distillation; default all. */
  readonly targets?: readonly string[];
}

/** Results by the kind, of distillation by the target. Students of all targets are one pack. @throws what a stage throws */
export async function everyKind({ engine, place, folder, targets = Object.keys(TARGETS) }: EveryKindOptions): Promise<Record<string, object>> {
  const stage = <R extends object>(recipe: R, upstream: StageContext['upstream'] = {}): StageInFolder<R> => Object.assign(new StageInFolder(folder, recipe, upstream), { place });
  const results: Record<string, object> = {};
  const run = async <R extends object>(kind: string, runner: StageRunner<R>, one: StageInFolder<R>) => {
    results[kind] = await runner(one.context());
    return { key: 'k', kind, recipe: one.recipe as JsonObject, result: {}, output: one.output };
  };
  const pretrained = await run('pretrain', runPretrain, stage(pretrainRecipe.parse({ ...fields, engine, model: teacher, decoder, mask_ratio: 0.75, norm_pix_loss: true })));
  const packed = async (recipes: Readonly<Record<string, object>>): Promise<void> => {
    const stages = Object.values(recipes).map(recipe => stage(distillRecipe.parse({ ...fields, ...student, engine, ...recipe }), { teacher: pretrained }));
    (await runPack(runDistillPack as PackRunner, stages)).forEach(({ result }, i) => {
      results[`distill: ${Object.keys(recipes)[i]!}`] = result;
    });
  };
  const aligned = (target: (typeof TARGETS)[string]): object => ({
    target,
    ...(target.family === 'relation' && target.heads === 'aligned' && { model: { ...model, last_block_heads: teacher.num_heads } }),
  });
  await packed({
    ...Object.fromEntries(targets.map(name => [name, aligned(TARGETS[name]!)])),
    'masked, with reconstruction': { ...aligned(TARGETS['relation, kl']!), ...masked },
  });
  await packed({ 'masked as its teacher': { ...aligned(TARGETS['class token, kl']!), ...masked, teacher_input: 'visible' } });
  const finetuned = await run('finetune', runFinetune, stage(finetuneRecipe.parse({ ...classifier, model: teacher, engine, layer_decay: 0.75 }), { weights: pretrained }));
  const taught = { augment: STRONG, model: { ...teacher, num_heads: 12, pool: 'class_token', dist_token: true, feature_dim: 40 } };
  for (const distillation of [
    { type: 'hard', alpha: 0.5 },
    { type: 'soft', alpha: 0.5, tau: 2 },
  ]) {
    await run(
      `finetune with a teacher, ${distillation.type}`,
      runFinetune,
      stage(finetuneRecipe.parse({ ...classifier, ...taught, engine, layer_decay: 0.75, distillation }), { weights: pretrained, teacher: finetuned }),
    );
  }
  await run('supervise', runSupervise, stage(superviseRecipe.parse({ ...classifier, engine })));
  const deit = { augment: STRONG, model: { ...model, pool: 'class_token' }, optimizer: { ...fields.optimizer, ema_decay: 0.9 }, init: 'trunc_normal', pos_embed: 'learned' };
  await run('supervise as DeiT', runSupervise, stage(superviseRecipe.parse({ ...classifier, ...deit, engine })));
  await run('evaluate', runEvaluate, stage(evaluateRecipe.parse({ data: fields.data, split: 'test', batch_size: 5, engine }), { weights: finetuned }));
  const corrupted = { name: 'simulated', images: null };
  await run(
    'evaluate-corrupted',
    runEvaluateCorrupted,
    stage(evaluateCorruptedRecipe.parse({ data: fields.data, split: 'test', batch_size: 20, corrupted, denominators: null, engine }), { weights: finetuned }),
  );
  const scenes = { ...segmentFields.data, source: { ...segmentFields.data.source, channels: 3 } };
  const segmenter = segmentRecipe.parse({ ...segmentFields, data: scenes, model: { ...teacher, image_size: [8, 12] }, feature_blocks: [1, 2, 2, 3], engine });
  const segmented = await run('segment', runSegment, stage({ ...segmenter, schedule: { ...segmenter.schedule, steps: 2, accumulation_steps: 2 } }, { weights: pretrained }));
  await run('segment-evaluate', runSegmentEvaluate, stage(segmentEvaluateRecipe.parse({ ...segmentEvaluateFields, data: scenes, engine }), { weights: segmented }));
  return results;
}
