/** The scale at which arms are realised. Profiles change scale only: arms are declared once. */
import { z } from 'zod';
import { checkpointHash, checkpointName } from './checkpoints/imported.ts';
import { sceneSpec } from './data/scenes/spec.ts';
import { dataSpec } from './data/spec.ts';
import { corruptedSpec, shiftedSpec } from './data/test-spec.ts';
import {
  augmentRecipe,
  classifierAugmentRecipe,
  decoderRecipe,
  emaDecay,
  engineRecipe,
  evaluationCropRecipe,
  initialisation,
  jitterRecipe,
  optimizerRecipe,
  pooling,
  positions,
  scheduleRecipe,
} from './stages/recipes.ts';
import { headRecipe, layerScale, plainOptimizerRecipe, sceneAugmentRecipe, segmentEvaluateRecipe, stepScheduleRecipe } from './stages/segment/recipes.ts';

const rate = z.number().min(0).lt(1);
const place = z.number().gt(0).max(1);

const size = z.strictObject({
  embed_dim: z.int().positive(),
  depth: z.int().positive(),
  /** In pre-training and distillation. */
  num_heads: z.int().positive(),
  /** In classifiers, where they differ: the released code fine-tunes ViT-T and S with fewer heads than it distills them with. */
  classifier_heads: z.int().positive().optional(),
});

const optimizer = optimizerRecipe.extend({ ema_decay: emaDecay.default(null) });
const stage = { schedule: scheduleRecipe, optimizer, augment: augmentRecipe };

/** What differs for some models from the schedule around it. */
const scheduleVariation = z.strictObject({
  epochs: scheduleRecipe.shape.epochs.exactOptional(),
  warmup_epochs: scheduleRecipe.shape.warmup_epochs.exactOptional(),
  batch_size: scheduleRecipe.shape.batch_size.exactOptional(),
  base_lr: scheduleRecipe.shape.base_lr.exactOptional(),
});

/** What differs for some arms from the recipe around it. */
const variation = scheduleVariation.extend({
  layer_decay: z.number().gt(0).max(1).exactOptional(),
  drop_path: rate.exactOptional(),
});
export type Variation = z.infer<typeof variation>;

const classifier = {
  schedule: scheduleRecipe,
  optimizer,
  augment: classifierAugmentRecipe,
  drop_path: rate,
  label_smoothing: rate,
  pool: pooling.default('mean'),
};

/** Semantic segmentation by UPerNet. */
const segmentation = z.strictObject({
  data: sceneSpec,
  /** [H, W] of what a training step, and a window of the test, sees. */
  crop: z.tuple([z.int().positive(), z.int().positive()]),
  /** Blocks that the head reads, as places in the depth of the model (`out_indices`); a place between two blocks is the later. */
  blocks: z.tuple([place, place, place, place]),
  relative_position_bias: z.boolean(),
  layer_scale: layerScale,
  head: headRecipe,
  drop_path: rate,
  schedule: stepScheduleRecipe,
  optimizer: plainOptimizerRecipe,
  layer_decay: z.number().gt(0).max(1),
  augment: sceneAugmentRecipe,
  evaluate: segmentEvaluateRecipe.pick({ stride: true, resize: true, batch_size: true }),
});

/** What a source says of a value, or `assumed: <reason>`; see `sources`. */
const sourceText = z.string().min(1);

/** A released encoder, which somebody has to get and import. */
const importedTeacher = z.strictObject({
  /** Name under which `ablate import` has kept it. */
  checkpoint: checkpointName,
  /**
   * Of the encoder in canonical form, as `ablate import` prints it; absent: whatever has the name on this machine. A report that is to be
   * the same elsewhere needs it.
   */
  sha256: checkpointHash.exactOptional(),
  /** Name of the file as it is published, for who has to get it. */
  file: z.string().min(1).exactOptional(),
});

/** A MAE of this profile that was trained once, and whose encoder lies beside the declarations; `ablate export --to teacher` writes it. */
const keptTeacher = z.strictObject({
  /** From the folder of the declarations, or else of those that come with the program, e.g. `teachers/mae-l.safetensors`. */
  path: z.string().regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/, "expected a path from the folder of the declarations, with '/' and without '..'"),
  /** Of the encoder in canonical form. */
  sha256: checkpointHash,
});

/** An encoder from a file as a teacher, instead of a MAE that is trained; `null`: trained. */
const teacherCheckpoint = z.union([importedTeacher, keptTeacher]).nullable();

const speed = z.strictObject({
  /** Of matrix products, as the maker states it. */
  peak_flops_per_second: z.number().positive(),
  /** What a training reaches of it. */
  sustained: z.number().gt(0).max(1),
});

const seeds = z.array(z.int().min(0)).min(1);

const fields = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  title: z.string(),
  /** What the report says first of results at this scale. */
  caution: z.string().optional(),
  seeds,
  /** What a sweep runs where nothing is chosen: see `ProfileBase`. */
  sweep: z
    .array(z.strictObject({ ablations: z.array(z.string()).min(1), seeds: seeds.optional() }))
    .min(1)
    .optional(),
  /** The margin of claims, in points, and how far the difference of two arms is assumed to spread over seeds; `false`: nothing is judged at this scale. */
  verdicts: z
    .union([z.literal(false), z.strictObject({ margin: z.number().min(0), source: sourceText, spread: z.strictObject({ value: z.number().positive(), source: sourceText }).optional() })])
    .optional(),
  /**
   * Seed of the MAE teachers that all replicates share: the paper has a single checkpoint of each. `replicate`: each replicate
   * has teachers of its own, so that intervals cover them, too.
   */
  teacher_seed: z.union([z.int().min(0), z.literal('replicate')]),
  data: dataSpec,
  /** Images of pre-training and distillation, which see no labels; `null`: the whole training split. */
  unlabelled_images: z.int().positive().nullable(),
  /** Labelled images of fine-tuning and supervised training; `null`: the whole training split. */
  labelled_images: z.int().positive().nullable(),
  model: z.strictObject({
    image_size: z.tuple([z.int().positive(), z.int().positive()]),
    patch_size: z.int().positive(),
    in_chans: z.int().positive(),
    mlp_ratio: z.number().positive(),
    sizes: z.strictObject({ T: size, S: size, B: size, L: size }),
  }),
  /** By size: the first teachers of arms that are not trained here. */
  teachers: z.strictObject({ T: teacherCheckpoint, S: teacherCheckpoint, B: teacherCheckpoint, L: teacherCheckpoint }).partial().exactOptional(),
  /** MAE pre-training, of teachers and of the MAE baseline. */
  pretrain: z.strictObject({
    ...stage,
    decoder: decoderRecipe,
    mask_ratio: z.number().gt(0).lt(1),
    norm_pix_loss: z.boolean(),
    /** By size of the model, as teacher and as baseline. */
    sizes: z.strictObject({ T: scheduleVariation, S: scheduleVariation, B: scheduleVariation, L: scheduleVariation }).partial().default({}),
  }),
  /** Distillation on the paper's schedule for ablations; schedule `main` is three times as long. */
  distill: z.strictObject({ ...stage, jitter: jitterRecipe }),
  finetune: z.strictObject({
    ...classifier,
    layer_decay: z.number().gt(0).max(1),
    /** By size of the model. */
    sizes: z.strictObject({ T: variation, S: variation, B: variation, L: variation }).partial().default({}),
    /** Of the MAE baseline, where its size says nothing else. */
    mae: variation.default({}),
  }),
  /** Of TinyMIM*, what differs from `finetune`: longer, from two heads, one of which learns from a teacher that classifies. */
  finetune_with_teacher: variation
    .extend({
      /** In every block. */
      num_heads: z.int().positive(),
      /** Width behind the last block (LayerNorm, linear, GELU); null: none. */
      feature_dim: z.int().positive().nullable(),
      /** Share of the loss that is learned from the teacher. */
      alpha: z.number().min(0).max(1),
      /** Temperature of distributions. */
      tau: z.number().positive(),
    })
    .exactOptional(),
  /** The paper trains from scratch for three times the epochs of a fine-tuning (300 against 100). */
  supervise: z.strictObject({ ...classifier, init: initialisation.default('mae'), pos_embed: positions.default('sincos') }),
  /** `split`: `validation` while anything is chosen, so that test images have no part in it. */
  evaluate: z.strictObject({ split: z.enum(['test', 'validation']).default('test'), batch_size: z.int().positive(), crop: evaluationCropRecipe }),
  /**
   * What classifiers are tested on beside that, as the columns of Table 4: images that are otherwise than those they were trained on, in the place of
   * ImageNet-A and ImageNet-R, and corrupted ones.
   */
  robustness: z
    .strictObject({ imagenet_a: shiftedSpec, imagenet_r: shiftedSpec, imagenet_c: corruptedSpec })
    .default({ imagenet_a: { name: 'sheared-scaled', images: null }, imagenet_r: { name: 'shade-inverted', images: null }, imagenet_c: { name: 'simulated', images: null } }),
  /** Absent: no arm of this profile is tested by segmentation. */
  segment: segmentation.optional(),
  /** Whether arms are trained by the second implementation, too, where an ablation compares the two: it needs PyTorch, which nothing else does. */
  pytorch: z.boolean().default(false),
  /** Of every stage. */
  engine: engineRecipe.default({ mode: 'graph', precision: 'float32' }),
  /** Whether data and recipe are the paper's, so that values compare and not only their order. */
  comparable: z.boolean(),
  /**
   * Where values come from, by path; a path stands for everything below it that has no entry of its own. An entry
   * `assumed: <reason>` is listed by plan and report.
   */
  sources: z.record(z.string(), sourceText).optional(),
  /** Speeds of one device of the kind that this profile is for, by precision; GPU-hours are counted with that of each stage. */
  throughput: z.strictObject({ device: z.string(), precisions: z.strictObject({ float32: speed, tf32: speed, bfloat16: speed }), source: sourceText }).optional(),
});

export const profile = fields.superRefine(({ teachers = {}, teacher_seed }, context) => {
  for (const [size, teacher] of Object.entries(teachers)) {
    if (teacher && 'checkpoint' in teacher && teacher_seed === 'replicate') {
      context.addIssue({
        code: 'custom',
        path: ['teacher_seed'],
        message: `expected a seed, as the ${size} teacher is the checkpoint ${teacher.checkpoint}, of which there is one; to train a teacher for each replicate: --set teachers.${size}=null`,
      });
    }
  }
});

export type Profile = z.infer<typeof profile>;
export type ImportedTeacher = z.infer<typeof importedTeacher>;
export type KeptTeacher = z.infer<typeof keptTeacher>;
/** As a declaration writes it: fields with defaults may be left out. */
export type ProfileDeclaration = z.input<typeof profile>;

/** Of the MAE pre-training of a size. */
export const pretrainSchedule = ({ pretrain: { schedule, sizes } }: Profile, size: keyof Profile['pretrain']['sizes']): Profile['pretrain']['schedule'] => ({ ...schedule, ...sizes[size] });

/**
 * The file that the first teacher of a size comes from; undefined: it is trained. Where each replicate has teachers of its own, those that the
 * profile can train are trained.
 */
export function teacherFile({ teachers, teacher_seed }: Profile, size: keyof NonNullable<Profile['teachers']>): ImportedTeacher | KeptTeacher | undefined {
  const teacher = teachers?.[size] ?? undefined;
  return teacher && 'path' in teacher && teacher_seed === 'replicate' ? undefined : teacher;
}
