/** TinyMIM distillation (`main_pretrain.py` of OliverRensu/TinyMIM): a student learns from a frozen teacher. */
import type { StageRunner } from '../ablation/kind.ts';
import { unlabelledSubset } from '../data/image-set.ts';
import { alignHeads, relationLoss, relations, teacherRelations } from '../distill/relations.ts';
import type { ViTConfig } from '../nn/config.ts';
import { constantRates } from '../nn/drop-path.ts';
import { initEncoder } from '../nn/init.ts';
import type { Params } from '../nn/params.ts';
import { pretrainGroups } from '../optim/groups.ts';
import { stream } from '../tensor/rng.ts';
import * as tf from '../tensor/tf.ts';
import { toTensors } from '../tensor/weights.ts';
import { normalise, pixels, type Normalisation } from './images.ts';
import type { DistillRecipe } from './recipes.ts';
import { openSession, saveModel, upstreamModel } from './session.ts';
import { train } from './train.ts';
import type { Objective } from './train-step.ts';
import { meanLosses, shapeOf } from './validate.ts';

export const distill: StageRunner<DistillRecipe> = async context => {
  const { recipe, seed } = context;
  const { schedule, optimizer, drop_path } = recipe;
  const dataset = await openSession(context, recipe.data);
  const set = recipe.images === null ? dataset.train : unlabelledSubset(dataset.train, recipe.images);
  const teacher = upstreamModel(context.upstream['teacher']);
  const teacherParams = toTensors(teacher.weights);
  const weights = initEncoder(recipe.model, seed);
  const objective = relationObjective(recipe, teacher.config, teacherParams, dataset);
  const dropPathShape = [recipe.model.depth, 2, schedule.batch_size] as const;

  const { params, losses } = await train(context, {
    ...objective,
    weights,
    groups: pretrainGroups(weights, optimizer.weight_decay),
    schedule,
    optimizer,
    set,
    augment: { ...recipe.augment, studentJitter: recipe.student_jitter },
    withLabels: false,
    inputs: batch => ({
      images: pixels(batch.images, shapeOf(set)),
      ...(batch.studentImages ? { student_images: pixels(batch.studentImages, shapeOf(set)) } : {}),
      ...(drop_path > 0
        ? { drop_path: { data: stream(seed, 'distill/drop-path', batch.step).uniforms(dropPathShape.reduce((a, b) => a * b)), shape: dropPathShape, batchAxis: 2 } }
        : {}),
    }),
  });

  context.progress({ phase: 'evaluate', step: 0, steps: 0 });
  const heldOut = (student: Params): number =>
    meanLosses(objective, student, dataset.validation, schedule.batch_size, images => ({ images: pixels(images, shapeOf(set)) }))['loss']!;
  const untrained = toTensors(weights);
  const validation = heldOut(params), atStart = heldOut(untrained);
  saveModel(context, params);
  tf.dispose([params, untrained, teacherParams]);
  return { loss: losses['loss']!, val_loss: validation, val_loss_untrained: atStart, val_loss_ratio: validation / atStart };
};

/**
 * The student's last block, split into the teacher's heads, learns the relations of the teacher's block. Inputs:
 * `images` for the teacher; `student_images` where the student's are jittered; `drop_path` uniforms in training only.
 */
function relationObjective(recipe: DistillRecipe, teacher: ViTConfig, teacherParams: Params, normalisation: Normalisation): Objective {
  const { pairs, softmax } = recipe.target;
  const student = alignHeads(recipe.model, teacher, recipe.teacher_block);
  const rates = constantRates(recipe.drop_path, student.depth);
  return {
    targets: ({ images }) => {
      const [taught] = teacherRelations(teacherParams, normalise(images!, normalisation), teacher, [{ block: recipe.teacher_block, pairs }]);
      return taught as Record<string, tf.Tensor>;
    },
    loss: (params, { images, student_images = images, drop_path, ...taught }) => {
      const learned = relations(params, normalise(student_images!, normalisation), student, { block: student.depth, pairs },
        drop_path ? { dropPath: { rates, uniforms: drop_path } } : {});
      const { loss, terms } = relationLoss(learned, taught, softmax);
      return { loss, ...terms };
    },
  };
}
