/** TinyMIM as a study: what joins the declarations of `experiments/` to the stages of `src/tinymim/stages`. */
import type { Assumption, Fact, OverviewDeclaration, PictureColour, StatedThroughput } from '../core/ablation/declaration.ts';
import { defineStudy } from '../core/ablation/define.ts';
import { UsageError } from '../core/ablation/errors.ts';
import { asOnThisMachine, notReady, prepare } from './data/dataset.ts';
import { DataError } from './data/errors.ts';
import { dataTitle, FASHION_CLASSES, imageCount } from './data/spec.ts';
import { notOnEngine } from './stages/engine-limits.ts';
import { HELD_OUT_IMAGES } from './stages/held-out.ts';
import { kinds } from './stages/kinds.ts';
import { CLASS_COLOURS, PICTURED } from './stages/segment/picture-names.ts';
import { engineRecipe, type EngineRecipe } from './stages/recipes.ts';
import { factors, type Factors, type ModelSize } from './factors.ts';
import { imagesSeenText } from './images-seen.ts';
import { measures, realiseMeasures } from './measures.ts';
import { pretrainSchedule, profile, type ImportedTeacher, type KeptTeacher, type Profile } from './profile.ts';
import { prepareTestSets, resolveTestSets, robustnessBreakdowns, testSetFile } from './robustness.ts';
import { prepareScenes, resolveScenes, sceneFile } from './segmentation.ts';
import { checkpointFile, namedTeachers, resolveCheckpoints } from './teacher-checkpoints.ts';
import { teachersOf } from './teachers.ts';
import { witnessKind } from './witness/kind.ts';

const size = ({ embed_dim, depth, num_heads, classifier_heads }: Profile['model']['sizes']['T']): string =>
  `width ${embed_dim}, depth ${depth}, heads ${num_heads}${classifier_heads === undefined || classifier_heads === num_heads ? '' : ` (${classifier_heads} as a classifier)`}`;

const epochs = (stage: { schedule: { epochs: number; batch_size: number; base_lr: number } }): string =>
  `${stage.schedule.epochs} epochs, batch ${stage.schedule.batch_size}, base rate ${stage.schedule.base_lr} per 256 images`;

/** What a training from scratch has of DeiT, where the others have what MAE has. */
const likeDeit = ({ init, pos_embed, pool, optimizer: { ema_decay } }: Profile['supervise']): string =>
  [
    init === 'trunc_normal' && 'weights drawn as in timm',
    pos_embed === 'learned' && 'learned positions',
    pool === 'class_token' && 'pooling by the class token',
    ema_decay !== null && `average of the weights ${ema_decay}`,
  ]
    .flatMap(text => (text === false ? [] : [`, ${text}`]))
    .join('');

const withTeacher = ({ finetune: { schedule } }: Profile, { num_heads, feature_dim, alpha, ...changes }: NonNullable<Profile['finetune_with_teacher']>): string =>
  `${epochs({ schedule: { ...schedule, ...changes } })}, with a classifier as teacher (${alpha} of the loss), a distillation token, ${num_heads} heads in every block${feature_dim === null ? '' : `, ${feature_dim} features behind the last`}`;

const images = (count: number | null, all: number): string => (count ?? all).toLocaleString('en-US');

function teacherText(p: Profile, size: ModelSize, teacher: ImportedTeacher | KeptTeacher): string {
  if ('checkpoint' in teacher) return `checkpoint ${teacher.checkpoint}, ${teacher.sha256 === undefined ? 'not imported' : `SHA-256 ${teacher.sha256}`}`;
  return `${teacher.path}, SHA-256 ${teacher.sha256}: a MAE that was trained once, ${epochs({ schedule: pretrainSchedule(p, size) })}`;
}

/** Where the pre-training of a size differs. */
const ofSizes = (p: Profile): string =>
  Object.keys(p.pretrain.sizes)
    .map(s => `; ViT-${s}: ${epochs({ schedule: pretrainSchedule(p, s as ModelSize) })}`)
    .join('');

function facts(p: Profile): Fact[] {
  const train = imageCount(p.data, 'train');
  return [
    { label: 'Data', value: dataTitle(p.data), lead: true },
    { label: 'Images', value: `${images(p.unlabelled_images, train)} without labels, ${images(p.labelled_images, train)} with, ${images(imageCount(p.data, 'test'), 0)} for the test` },
    {
      label: 'Tokens',
      value: `${(p.model.image_size[0] / p.model.patch_size) * (p.model.image_size[1] / p.model.patch_size)} patches of ${p.model.patch_size} x ${p.model.patch_size} pixels and a class token`,
    },
    ...(['L', 'B', 'S', 'T'] as const).map(s => ({ label: `ViT-${s}`, value: size(p.model.sizes[s]) })),
    ...namedTeachers(p).map(([s, teacher]) => ({ label: `Teacher ViT-${s}`, value: teacherText(p, s, teacher) })),
    { label: 'MAE pre-training', value: `${epochs(p.pretrain)}, mask ratio ${p.pretrain.mask_ratio}${ofSizes(p)}` },
    { label: 'Distillation', value: `${epochs(p.distill)}; three times as long on the main schedule` },
    { label: 'Fine-tuning', value: `${epochs(p.finetune)}, layer decay ${p.finetune.layer_decay}` },
    ...(p.finetune_with_teacher ? [{ label: 'Fine-tuning of TinyMIM*', value: withTeacher(p, p.finetune_with_teacher) }] : []),
    { label: 'From scratch', value: `${epochs(p.supervise)}${likeDeit(p.supervise)}` },
    { label: 'Images seen, every epoch counted', value: imagesSeenText(p), scale: true },
    { label: 'Engine', value: `mode ${p.engine.mode}, ${p.engine.precision}`, lead: true, engines: { tensorflow: 'TensorFlow', wasm: 'WebAssembly' } },
  ];
}

/** Behind the curves of classifiers. */
const heldOut = ({ data }: Profile): number => Math.min(HELD_OUT_IMAGES, imageCount(data, 'validation'));

/** The paper's headline picture, Table 8: every strategy at every model size. */
const overview: OverviewDeclaration = {
  title: 'Accuracy over model size',
  x: { label: 'model size', values: ['ViT-T', 'ViT-S', 'ViT-B'] },
  series: [
    { label: 'From scratch', arm: 'scratch' },
    { label: 'MAE', arm: 'mae' },
    { label: 'Class token', arm: 'class-token' },
    { label: 'Features', arm: 'feature' },
    { label: 'Relations (TinyMIM)', arm: 'relation' },
  ].map(({ label, arm }) => ({ label, arms: ['t', 's', 'b'].map(size => `strategy-size/${arm}-${size}`) })),
};

/** What the colours of a map mean. */
function sceneColours({ segment }: Profile): PictureColour[] {
  const classes = segment?.data.name === 'composed' && segment.data.source.name === 'fashion-mnist' ? FASHION_CLASSES : [];
  return ['Background', ...classes].map((label, i) => ({ label, colour: CLASS_COLOURS[i]! }));
}

function notes(p: Profile, published: boolean): string[] {
  const replicate = 'Intervals over seeds cover distillation, its intermediate teachers, fine-tuning, supervised training and the MAE baseline';
  return [
    ...(p.caution === undefined ? [] : [p.caution]),
    ...(p.comparable || !published
      ? []
      : [`${dataTitle(p.data)} at this scale compares order and sign with the paper, not values: the published numbers are top-1 on ImageNet-1K with far larger models and far longer schedules.`]),
    p.teacher_seed === 'replicate'
      ? `${replicate}, and the MAE teachers: each replicate has its own.`
      : `${replicate}, given one MAE teacher of each size: all replicates share it${published ? ', as the paper has a single checkpoint of each' : ''}. With --teacher-seeds each replicate trains its own.`,
  ];
}

const ASSUMED = /^assumed:\s*/;

function assumptions(p: Profile): Assumption[] {
  const sourced = Object.entries(p.sources ?? {})
    // Of a part that the profile took over from another and leaves out there is nothing to assume.
    .filter(([field, source]) => ASSUMED.test(source) && valueAt(p, field) !== undefined)
    .map(([field, source]) => ({ field, value: JSON.stringify(valueAt(p, field)), reason: source.replace(ASSUMED, '') }));
  return [...sourced, ...assumedHeldOut(p)];
}

/** The paper holds nothing out of ImageNet, so whoever does decides how many. */
function assumedHeldOut({ data }: Profile): Assumption[] {
  const count = imageCount(data, 'validation');
  return data.name === 'imagenet1k' && count > 0 ? [{ field: 'data.validation', value: String(count), reason: 'held out of the training images for choosing; no source says how many' }] : [];
}

const valueAt = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, name) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[name] : undefined), value);

function stated({ device, precisions, source }: NonNullable<Profile['throughput']>, precision: EngineRecipe['precision']): StatedThroughput {
  const { peak_flops_per_second: peak, sustained } = precisions[precision];
  const others = Object.entries(precisions).filter(([name]) => name !== precision);
  return {
    device,
    flopsPerSecond: sustained * peak,
    source: `${precision}: ${Math.round(100 * sustained)} % of ${peak / 1e12} TFLOP/s; ${source}`,
    otherwise: others.map(([name, speed]) => ({ set: `engine.precision=${name}`, flopsPerSecond: speed.sustained * speed.peak_flops_per_second })),
  };
}

export default defineStudy<Factors, Profile>({
  name: 'TinyMIM',
  factors,
  profile,
  kinds: [...kinds, witnessKind],
  realise: realiseMeasures,
  headroom: {
    name: 'teachers',
    title: 'Teachers, fine-tuned',
    note: 'In grey: the teachers that arms of this table learn from, fine-tuned and tested as a student of their size is. They show what there is to learn; no claim and no comparison has them.',
    of: teachersOf,
    baseline: ({ student }) => ({ method: 'mae', student }),
  },
  notRunnable: (p, devices) => notOnEngine(p.engine, process.env['ENGINE'] === 'wasm' ? 'wasm' : 'tensorflow', devices),
  notReady: (p, dataDir) => notReady(p.data, dataDir),
  prepare: async (p, dataDir, say) => {
    try {
      await prepare(p.data, dataDir, say);
      await prepareTestSets(p, dataDir, say);
      prepareScenes(p, dataDir, say);
    } catch (error) {
      throw error instanceof DataError ? new UsageError(error.code, error.message, { cause: error }) : error;
    }
  },
  resolve: (p, dataDir) => {
    const resolved = resolveScenes(resolveTestSets(resolveCheckpoints(p, dataDir), dataDir), dataDir);
    return { ...resolved, data: asOnThisMachine(resolved.data, dataDir) };
  },
  inputFile: (stage, p, folders) => checkpointFile(stage, p, folders) ?? testSetFile(stage, folders) ?? sceneFile(stage, folders),
  importFile: async (file, options) => (await import('./checkpoints/import.ts')).importCheckpoint(file, options),
  // A checkpoint computes nothing, on no engine.
  statedThroughput: (p, { engine }) => (engine === undefined ? undefined : p.throughput && stated(p.throughput, engineRecipe.parse(engine).precision)),
  report: {
    headline: { role: 'evaluate', metric: 'accuracy', standardError: 'accuracy_se' },
    measures,
    columns: [
      { role: 'distill', metric: 'val_loss', label: 'held-out distillation loss' },
      { role: 'distill', metric: 'val_loss_untrained', label: 'untrained student' },
      { role: 'distill', metric: 'val_loss_ratio', label: 'ratio' },
      { role: 'distill', metric: 'target_spread', label: 'target spread', optional: true },
      { role: 'corrupted', metric: 'error', label: 'mean error under corruptions', optional: true },
      { role: 'segment-evaluate', metric: 'macc', label: 'mAcc', optional: true },
      { role: 'segment-evaluate', metric: 'aacc', label: 'aAcc', optional: true },
    ],
    curves: [
      { role: 'distill', metric: 'loss', title: 'Distillation loss' },
      { role: 'pretrain', metric: 'loss', title: 'MAE reconstruction loss' },
      { role: 'finetune', metric: 'val_accuracy', title: 'Validation accuracy in fine-tuning', items: heldOut },
      { role: 'supervise', metric: 'val_accuracy', title: 'Validation accuracy from scratch', items: heldOut },
      { role: 'segment', metric: 'decode_loss', title: 'Training loss of the segmenter' },
    ],
    pictures: [
      {
        title: 'Test scenes: image, truth, and what segmenters make of them',
        rows: PICTURED,
        about: { role: 'segment-evaluate', prefix: 'about_' },
        shared: [
          { role: 'segment-evaluate', prefix: 'image_', label: 'Image' },
          { role: 'segment-evaluate', prefix: 'truth_', label: 'Truth' },
        ],
        own: ['segment-evaluate', 'segment-evaluate-finetuned'].map(role => ({ role, prefix: 'prediction_' })),
        legend: () => 'The middle of the first four test scenes, by the first seed.',
        colours: sceneColours,
      },
    ],
    breakdowns: robustnessBreakdowns,
    ownRoles: ['pretrain', 'distill', 'finetune', 'supervise', 'evaluate', 'imagenet-a', 'imagenet-r', 'corrupted', 'segment', 'segment-evaluate', 'segment-finetuned', 'segment-evaluate-finetuned'],
    notes,
    assumptions,
    comparable: p => p.comparable,
    retraining: {
      values: [83.63, 83.66, 83.52, 83.46],
      source:
        'four seeds of MAE ViT-B (facebookresearch/mae, FINETUNE.md, which divides by 4 and so prints 0.08); the one retraining of TinyMIM ViT-B by others that is known has 84.7 against the published 85.0 (OliverRensu/TinyMIM, issue 2)',
    },
    publishedNoise: { value: 0.16, source: 'twice the standard deviation of four seeds of MAE ViT-B (facebookresearch/mae, FINETUNE.md)' },
    facts,
    overview,
  },
});
