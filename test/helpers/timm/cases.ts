/** Stages whose weights went to timm, for `test/fixtures/timm`: small, of more than one channel and not square. */
import type { Exporter } from '../../../src/core/ablation/kind.ts';
import { stream } from '../../../src/engine/random/rng.ts';
import type { HostTensor, Weights } from '../../../src/engine/formats/weights.ts';
import type { ClassifierConfig } from '../../../src/tinymim/nn/config.ts';
import { initClassifier, initEncoder } from '../../../src/tinymim/nn/init.ts';
import { exportClassifier, exportStudent } from '../../../src/tinymim/stages/export.ts';
import { distillRecipe, superviseRecipe } from '../../../src/tinymim/stages/recipes.ts';
import { distillFields } from '../distill-recipe.ts';

const model = { image_size: [8, 12] as [number, number], patch_size: 4, in_chans: 2, embed_dim: 16, depth: 3, num_heads: 2, mlp_ratio: 2 };
const data = { ...distillFields.data, image_size: model.image_size, channels: model.in_chans, classes: 3 };
const shared = { data, model, images: null, drop_path: 0, schedule: distillFields.schedule, optimizer: distillFields.optimizer, augment: distillFields.augment, engine: {} };
const classifier = superviseRecipe.parse({ ...shared, label_smoothing: 0 });
const byToken = { ...classifier, model: { ...classifier.model, pool: 'class_token' as const } };
const distilled = { ...byToken, model: { ...byToken.model, dist_token: true } };
const star = { ...distilled, model: { ...distilled.model, num_heads: 4, feature_dim: 20 } };
const student = distillRecipe.parse({ ...distillFields, data, model: { ...model, last_block_heads: 4 } });

interface TimmCase {
  readonly config: ClassifierConfig;
  readonly weights: () => Weights;
  readonly write: (to: Pick<Parameters<Exporter>[0], 'format' | 'output' | 'path' | 'origin' | 'dataDir'>) => ReturnType<Exporter>;
}

export const TIMM_CASES: Readonly<Record<string, TimmCase>> = {
  /** Mean of the patch tokens, `fc_norm`. */
  mean: { config: classifier.model, weights: () => noisy(initClassifier(model, data.classes, 1)), write: to => exportClassifier({ ...to, recipe: classifier }) },
  class_token: { config: byToken.model, weights: () => noisy(initClassifier(byToken.model, data.classes, 2)), write: to => exportClassifier({ ...to, recipe: byToken }) },
  /** Two heads, as DeiT's distilled models; and on the features of TinyMIM*, for which timm has no argument. */
  distilled: { config: distilled.model, weights: () => noisy(initClassifier(distilled.model, data.classes, 4)), write: to => exportClassifier({ ...to, recipe: distilled }) },
  star: { config: star.model, weights: () => noisy(initClassifier(star.model, data.classes, 5)), write: to => exportClassifier({ ...to, recipe: star }) },
  /** A distilled student, whose last block has more heads. */
  student: { config: student.model, weights: () => noisy(initEncoder(student.model, 3)), write: to => exportStudent({ ...to, recipe: student }) },
};

/** What the file says of its origin. */
export const ORIGIN = { stage: '0'.repeat(64), kind: 'fixture', seed: '0', name: 'fixture', study: 'TinyMIM' };

/** Noise on all of them: zero biases and unit norms would hide mistakes. */
const noisy = (weights: Weights): Weights =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data: values }]): [string, HostTensor] => {
      const noise = stream(7, name, 0).normals(values.length);
      return [name, { shape, data: values.map((value, i) => value + 0.2 * noise[i]!) }];
    }),
  );
