/** The vocabulary of arms: every choice that TinyMIM studies. Parsing `{}` gives the paper's ablation default (section 4.2). */
import { z } from 'zod';
import { relationPair } from './stages/recipes.ts';

const modelSize = z.enum(['T', 'S', 'B', 'L']);
export type ModelSize = z.infer<typeof modelSize>;

const rate = z.number().min(0).lt(1);

const schema = z.strictObject({
  /** `distill`: from a teacher; `mae`: MAE pre-training of the student itself; `scratch`: supervised only. */
  method: z.enum(['distill', 'mae', 'scratch']).default('distill'),
  student: modelSize.default('B'),
  /** Whose MAE an arm with method 'mae' fine-tunes: one of its own, of the replicate's seed; or that which teaches distilled arms. */
  mae: z.enum(['own', 'teacher']).default('own'),
  /**
   * The teachers, first to last. The first is a MAE of that size, each of the others a distilled student of the one before
   * it; the last teaches the arm's student. `['L', 'B']`: MAE-L, then TinyMIM-B.
   */
  teachers: z.array(modelSize).min(1).default(['L']),
  /**
   * What the distilled teachers themselves have learned: `relation`: the default of the paper's ablations, as TinyMIM is
   * released; `same`: what the arm's student learns, in the same way.
   */
  teacherTarget: z.enum(['relation', 'same']).default('relation'),
  /**
   * Heads in the last block of a distilled teacher. `distilled`: as many as it was distilled with. `rebuilt`: those of its other blocks,
   * as the released code makes a teacher anew from its weights (`models_teacher.py`); nothing says what the authors did.
   */
  teacherHeads: z.enum(['distilled', 'rebuilt']).default('distilled'),
  /** What the student learns: relations between tokens (eq. 4, 9), features (eq. 7, 8) or the class token (eq. 6). */
  target: z.enum(['relation', 'feature', 'class-token']).default('relation'),
  /** Token relations to match: products of these features, head by head. */
  relations: z.array(relationPair).min(1).default(['qk', 'vv']),
  /** Relations as distributions, matched by KL divergence (eq. 5, 9). */
  softmax: z.boolean().default(true),
  /** Loss of relations without softmax, which the paper does not name: of the scaled products. */
  relationLoss: z.enum(['mse', 'smooth-l1']).default('mse'),
  /** The student's last block gets the teacher's number of heads; off: relations are averaged over the heads of each network. */
  headAlignment: z.boolean().default(true),
  /** `output`: of the teacher's last block; the others are tensors inside a block, named as in Table 6. */
  feature: z.enum(['output', 'ffn', 'ffn-residual', 'attention', 'attention-residual', 'qkv']).default('qkv'),
  /** How the class token is matched: KL divergence of softmaxes over its features, or squared error; the paper leaves it open (eq. 6). */
  classTokenLoss: z.enum(['kl', 'mse']).default('kl'),
  /**
   * Whether output features and the class token pass through the final norm of their network first. The paper does not say;
   * Feature-Distillation does so. `default`: yes for the output feature, no for the class token, which is taken from an inner block.
   */
  finalNorm: z.union([z.literal('default'), z.boolean()]).default('default'),
  /**
   * Block whose tensors are the target, as a place in the teacher's depth. `default`: 3/4 of an L teacher (18 of 24), the
   * last block of the others (`models_teacher.py`), and the last block for output features.
   */
  teacherBlock: z.union([z.literal('default'), z.number().gt(0).max(1)]).default('default'),
  /** Share of the patches that the student does not see, drawn at random as in MAE; 0: the raw image. */
  maskRatio: rate.default(0),
  /** What the teacher of a masked student sees; the paper does not say. */
  teacherInput: z.enum(['whole', 'visible']).default('whole'),
  /** Weight of MAE's reconstruction loss beside the distillation loss; 0: none. */
  reconstruction: z.number().min(0).default(0),
  /** Drop path rate of the student's blocks during distillation, constant over depth and absent in the last (`models_tinymim.py`). */
  studentDropPath: rate.default(0.1),
  /** The same for the teacher. */
  teacherDropPath: rate.default(0),
  /** Colour jitter of the student's image alone (`main_pretrain.py`). */
  jitter: z.boolean().default(true),
  /** Length of distillation: `main` is three times `ablation`, as the paper's 300 and 100 epochs. */
  schedule: z.enum(['ablation', 'main']).default('ablation'),
  /**
   * Size of the one of `teachers` that, fine-tuned, teaches in the student's fine-tuning, too, as in TinyMIM* (of several of a size the last); the
   * paper does not say which classifier taught. `none`: labels alone.
   */
  finetuneTeacher: z.union([z.literal('none'), modelSize]).default('none'),
  /** How: by the class that the teacher would choose, or by its distribution (DeiT); the paper does not say. */
  finetuneDistillation: z.enum(['hard', 'soft']).default('hard'),
  /** Whose code trains and tests the student: `pytorch`: the second implementation, in `witness/`, of the same recipe from the same teacher. */
  implementation: z.enum(['ours', 'pytorch']).default('ours'),
});

export type Factors = z.infer<typeof schema>;

type Condition = readonly [when: (factors: Factors) => boolean, unless: string];

const distilled: Condition = [f => f.method === 'distill', "an arm with method 'mae' or 'scratch', which has no teacher"];
const relation: Condition = [f => f.target === 'relation', "an arm with target 'feature' or 'class-token'"];
const feature: Condition = [f => f.target === 'feature', "an arm with target 'relation' or 'class-token'"];
const classToken: Condition = [f => f.target === 'class-token', "an arm with target 'relation' or 'feature'"];
const sequence: Condition = [f => f.teachers.length > 1, 'an arm with a single teacher, which is a MAE'];
const masked: Condition = [f => f.maskRatio > 0, 'an arm whose student sees the raw image (maskRatio 0)'];

/** Where a factor means anything; elsewhere it must be left out, so that no arm claims a choice that changes nothing. */
const MEANINGFUL: Readonly<Partial<Record<keyof Factors, readonly Condition[]>>> = {
  mae: [[f => f.method === 'mae', "an arm with method 'distill' or 'scratch', which fine-tunes no MAE"]],
  teachers: [distilled],
  teacherTarget: [distilled, sequence],
  teacherHeads: [distilled, sequence, [f => alignsHeads(teacherFactors(f)), 'an arm whose distilled teachers have the same number of heads in all blocks']],
  target: [distilled],
  relations: [distilled, relation],
  softmax: [distilled, relation],
  relationLoss: [distilled, relation, [f => !f.softmax, 'an arm with softmax, whose loss is the KL divergence']],
  headAlignment: [distilled, relation],
  feature: [distilled, feature],
  classTokenLoss: [distilled, classToken],
  finalNorm: [distilled, [f => f.target === 'class-token' || (f.target === 'feature' && f.feature === 'output'), 'an arm whose target is neither the class token nor the output feature']],
  teacherBlock: [distilled],
  maskRatio: [distilled],
  teacherInput: [distilled, masked],
  reconstruction: [distilled, masked],
  studentDropPath: [distilled],
  teacherDropPath: [distilled],
  jitter: [distilled],
  schedule: [distilled],
  finetuneTeacher: [distilled, [f => f.finetuneTeacher === 'none' || f.teachers.includes(f.finetuneTeacher), 'an arm none of whose teachers has that size']],
  finetuneDistillation: [distilled, [f => f.finetuneTeacher !== 'none', "an arm that is fine-tuned with labels alone (finetuneTeacher 'none')"]],
  // What the second implementation has: the method as it is released.
  implementation: [
    distilled,
    relation,
    [f => f.softmax, 'an arm without softmax'],
    [f => f.headAlignment, 'an arm whose relations are averaged over heads (headAlignment false)'],
    [f => f.maskRatio === 0, 'an arm whose student is masked'],
    [f => f.finetuneTeacher === 'none', 'an arm that learns from a teacher in its fine-tuning, too'],
  ],
};

const defaults = schema.parse({});

/** What the distilled teachers of an arm learn: see `teacherTarget`. They are fine-tuned with labels alone, and of our making whoever trains the student. */
export function teacherFactors(arm: Factors): Factors {
  const { finetuneTeacher, finetuneDistillation, implementation } = defaults;
  return arm.teacherTarget === 'same' ? { ...arm, finetuneTeacher, finetuneDistillation, implementation } : { ...defaults, schedule: arm.schedule, teacherHeads: arm.teacherHeads };
}

/** The factors that an arm chooses otherwise than by default. */
export const chosen = (arm: Factors): Partial<Factors> =>
  Object.fromEntries(Object.entries(arm).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(defaults[field as keyof Factors])));

/** Whether a student's last block gets the heads of its teacher. */
const alignsHeads = ({ target, headAlignment }: Factors): boolean => target === 'relation' && headAlignment;

export const factors = schema.superRefine((value, context) => {
  for (const [field, conditions] of Object.entries(MEANINGFUL) as [keyof Factors, readonly Condition[]][]) {
    if (!Object.hasOwn(chosen(value), field)) continue;
    const violated = conditions.find(([when]) => !when(value));
    if (violated) context.addIssue({ code: 'custom', path: [field], message: `expected no '${field}' in ${violated[1]}; remove the field` });
  }
});
