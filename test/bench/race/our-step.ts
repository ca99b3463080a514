/** A training step of a case, made of what the stages are made of. */
import { classify } from '../../../src/tinymim/nn/classifier.ts';
import { maeLoss, type MaskTensors } from '../../../src/tinymim/nn/mae.ts';
import { initAdamW } from '../../../src/tinymim/optim/adamw.ts';
import { finetuneGroups, pretrainGroups, type ParamGroups } from '../../../src/tinymim/optim/groups.ts';
import { studentLoss } from '../../../src/tinymim/stages/distill-objective.ts';
import { normalise, pixels } from '../../../src/tinymim/stages/images.ts';
import type { EngineRecipe } from '../../../src/tinymim/stages/recipes.ts';
import { graphSignature } from '../../../src/tinymim/stages/signature.ts';
import { createTeacher } from '../../../src/tinymim/stages/teacher.ts';
import { upload, type LossFunction } from '../../../src/tinymim/stages/train-step.ts';
import { createTrainer, type Trainer } from '../../../src/tinymim/stages/trainer.ts';
import { softmaxCrossEntropy } from '../../../src/engine/grad/cross-entropy.ts';
import * as tf from '../../../src/engine/tf.ts';
import { toTensors, type Weights } from '../../../src/engine/formats/weights.ts';
import type { DistillCase, StepCase } from './cases.ts';
import type { HostBatch } from './host-batches.ts';

export interface CaseWeights {
  readonly weights: Weights;
  readonly teacher: Weights | undefined;
}

/** Makes a step and returns its loss. */
export type Step = (batch: HostBatch) => number;

export function createStep(step: StepCase, { weights, teacher }: CaseWeights, engine: EngineRecipe): Step {
  const groups = groupsOf(step, weights);
  const params = toTensors(weights);
  const trained = Object.fromEntries(Object.entries(params).filter(([name]) => name in groups));
  const trainer = createTrainer(
    { params, optimizer: initAdamW(trained) },
    {
      loss: lossOf(step),
      groups,
      betas: step.optimizer.betas,
      microBatches: 1,
      engine,
      signature: graphSignature('bench', { step, engine }),
    },
  );
  return step.kind === 'distill' ? distillStep(step, trainer, teacher!, engine) : plainStep(step, trainer);
}

function plainStep(step: StepCase, trainer: Trainer): Step {
  return ({ images, others }) => {
    const inputs = upload({ images: pixels(images, sizeOf(step)), ...others });
    const losses = trainer.feed(inputs, step.lr)?.read();
    tf.dispose(inputs);
    return losses!['loss']!;
  };
}

/** As `ablate` runs a student alone: the teacher's targets are inputs of the student's step. */
function distillStep(step: DistillCase, trainer: Trainer, weights: Weights, engine: EngineRecipe): Step {
  const blockTarget = { target: step.target, block: step.teacher_block };
  const teacher = createTeacher({ config: step.teacher, params: toTensors(weights), normalisation: step, dropPath: 0, engine, targets: [blockTarget] });
  return ({ images }) => {
    const inputs = upload({ images: pixels(images, sizeOf(step)) });
    const pass = teacher.pass({ images: inputs['images']! });
    const targets = pass.targets(blockTarget);
    pass.dispose();
    const losses = trainer.feed({ ...inputs, ...targets }, step.lr)?.read();
    tf.dispose([inputs, targets]);
    return losses!['loss']!;
  };
}

const sizeOf = ({
  model: {
    image_size: [height, width],
    in_chans: channels,
  },
}: StepCase) => ({ height, width, channels });

function groupsOf(step: StepCase, weights: Weights): ParamGroups {
  const { weight_decay: weightDecay } = step.optimizer;
  return step.kind === 'finetune' ? finetuneGroups(weights, { depth: step.model.depth, weightDecay, layerDecay: step.layer_decay }) : pretrainGroups(weights, weightDecay);
}

function lossOf(step: StepCase): LossFunction {
  switch (step.kind) {
    case 'pretrain': {
      const config = { encoder: step.model, decoder: step.decoder, norm_pix_loss: true };
      return (params, { images, ...masks }) => ({ loss: maeLoss(params, normalise(images!, step), config, masks as unknown as MaskTensors) });
    }
    case 'finetune':
      return (params, { images, targets }) => ({ loss: softmaxCrossEntropy(targets as tf.Tensor2D, classify(params, normalise(images!, step), step.model)) });
    case 'distill': {
      const { model, target, teacher_block } = step;
      return studentLoss(
        { model: { ...model, image_size: [...model.image_size] }, target, teacher_block, drop_path: 0, teacher_drop_path: 0, mask_ratio: 0, teacher_input: 'whole', reconstruction: null },
        step,
      );
    }
  }
}
