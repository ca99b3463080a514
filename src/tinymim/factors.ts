/** The vocabulary of arms: every choice that TinyMIM studies. Parsing `{}` gives the paper's ablation default (section 4.2). */
import { z } from 'zod';
import { relationPair } from '../stages/recipes.ts';

export const modelSize = z.enum(['T', 'S', 'B', 'L']);
export type ModelSize = z.infer<typeof modelSize>;

const schema = z.strictObject({
  /** `distill`: from a MAE teacher; `mae`: MAE pre-training of the student itself; `scratch`: supervised only. */
  method: z.enum(['distill', 'mae', 'scratch']).default('distill'),
  student: modelSize.default('B'),
  /** Size of the MAE pre-trained teacher. */
  teacher: modelSize.default('L'),
  /** Token relations to match (eq. 4): products of these features, head by head. */
  relations: z.array(relationPair).min(1).default(['qk', 'vv']),
  /** Relations as distributions matched by KL divergence (eq. 5, 9); without, the scaled products matched by mean squared error. */
  softmax: z.boolean().default(true),
  /**
   * Block whose relations are the target, as a place in the teacher's depth; `default` is the released code's choice:
   * 3/4 of an L teacher (18 of 24), the last block of the others (`models_teacher.py`).
   */
  teacherBlock: z.union([z.literal('default'), z.number().gt(0).max(1)]).default('default'),
  /** Drop path rate of the student's blocks during distillation, constant over depth and absent in the last (`models_tinymim.py`). */
  studentDropPath: z.number().min(0).lt(1).default(0.1),
  /** Colour jitter of the student's image alone (`main_pretrain.py`). */
  jitter: z.boolean().default(true),
});

export type Factors = z.infer<typeof schema>;

/** Factors that only mean something for distilled arms. */
const DISTILL_ONLY = ['teacher', 'relations', 'softmax', 'teacherBlock', 'studentDropPath', 'jitter'] as const satisfies readonly (keyof Factors)[];

const defaults = schema.parse({});

export const factors = schema.superRefine((value, context) => {
  if (value.method === 'distill') return;
  for (const field of DISTILL_ONLY) {
    if (JSON.stringify(value[field]) !== JSON.stringify(defaults[field])) {
      context.addIssue({
        code: 'custom',
        path: [field],
        message: `Expected no '${field}' in an arm with method '${value.method}', which has no teacher; got ${JSON.stringify(value[field])}. Remove the field`,
      });
    }
  }
});
