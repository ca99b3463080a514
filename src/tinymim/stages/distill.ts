/**
 * TinyMIM distillation (`main_pretrain.py` of OliverRensu/TinyMIM): students learn from a frozen teacher. They always run as a
 * pack, if only of one: the teacher runs once for each batch, and every student is given its targets in the same way.
 */
import type { PackRunner, StageContext, StageResult, StageRunner } from '../../core/ablation/kind.ts';
import type { Dataset } from '../data/dataset.ts';
import type { ImageSet } from '../data/image-set.ts';
import { initialise } from '../nn/init.ts';
import { encoderSpec } from '../nn/spec.ts';
import { pretrainGroups } from '../optim/groups.ts';
import * as tf from '../../engine/tf.ts';
import { toTensors, type Params } from '../../engine/formats/weights.ts';
import { studentLoss, studentSpec } from './distill-objective.ts';
import { createEvaluator, type Evaluator } from './evaluator.ts';
import { heldOutBatches } from './held-out.ts';
import type { DistillRecipe, VitRecipe } from './recipes.ts';
import { trainingSignature } from './signature.ts';
import { loadEngineAndDataset, saveModel, trainingImages, upstreamConfig, upstreamModel } from './stage-io.ts';
import { blockTargetOf, evaluationInputs, forwardTeacher, trainingInputs, type Student } from './students.ts';
import { targetSpreads } from './target-spread.ts';
import { teacherModel } from './teacher-model.ts';
import { createTeacher, type Teacher } from './teacher.ts';
import { trainTogether } from './train.ts';
import { meanLosses, upload, type Inputs } from './train-step.ts';
import type { Trained } from './training.ts';

type Context = StageContext<DistillRecipe>;
type Settled<T> = PromiseSettledResult<T>;

export const runDistill: StageRunner<DistillRecipe> = async context => {
  const [outcome] = await runDistillPack([context]);
  if (outcome!.status === 'rejected') throw outcome!.reason;
  return outcome!.value;
};

/** @param contexts stages of equal `packing` keys (`packing.ts`) */
export const runDistillPack: PackRunner<DistillRecipe> = async contexts => {
  const datasets = await Promise.allSettled(contexts.map(context => loadEngineAndDataset(context, context.recipe.model)));
  const opened = datasets.find(dataset => dataset.status === 'fulfilled');
  if (!opened) return datasets as PromiseRejectedResult[];
  const dataset = opened.value;
  const config = teacherModel(contexts[0]!.recipe, upstreamConfig(contexts[0]!.upstream['teacher']));
  const created = contexts.map(context => settle(() => createStudent(context, config, dataset)));
  const students = created.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
  if (students.length === 0) return created as PromiseRejectedResult[];

  const teacher = openTeacher(students, config, dataset);
  try {
    const results = await trainStudents(withSpreads(students, teacher, dataset.validation), teacher, config, dataset);
    return created.map((one, i) => (one.status === 'fulfilled' ? results.get(contexts[i]!)! : one));
  } finally {
    teacher.dispose();
  }
};

/** Its weights are in the engine alone, once: they may be larger than all students together. */
function openTeacher(students: readonly Student[], config: VitRecipe, dataset: Dataset): Teacher {
  const { recipe, upstream } = students[0]!.context;
  const params = toTensors(upstreamModel(upstream['teacher']).weights);
  const targets = students.map(({ context }) => blockTargetOf(context.recipe));
  try {
    return createTeacher({ config, params, normalisation: dataset, dropPath: recipe.teacher_drop_path, engine: recipe.engine, targets });
  } finally {
    tf.dispose(params);
  }
}

function createStudent(context: Context, teacher: VitRecipe, dataset: Dataset): Student {
  const { recipe, seed } = context;
  const { schedule, optimizer, engine } = recipe;
  const weights = initialise(studentSpec(recipe, teacher), seed);
  return {
    context,
    weights,
    groups: pretrainGroups(weights, optimizer.weight_decay),
    loss: studentLoss(recipe, dataset),
    schedule,
    optimizer,
    engine,
    signature: trainingSignature('distill', recipe),
  };
}

/** With what is known of each before its first step: whether its targets say anything of an image. */
function withSpreads(students: readonly Student[], teacher: Teacher, set: ImageSet): Student[] {
  const spreads = targetSpreads(students, teacher, set);
  return students.map(student => {
    const spread = spreads.get(student);
    if (spread === undefined) return student;
    student.context.log(`Targets vary over images by ${Number(spread.toPrecision(3))} of their size.`);
    return { ...student, known: { target_spread: spread } };
  });
}

async function trainStudents(students: readonly Student[], teacher: Teacher, config: VitRecipe, dataset: Dataset): Promise<Map<Context, Settled<StageResult>>> {
  const { recipe, seed } = students[0]!.context;
  const set = trainingImages(dataset, recipe.images, 'unlabelled');
  const outcomes = await trainTogether(students, {
    set,
    augment: { ...recipe.augment, studentJitter: recipe.student_jitter },
    withLabels: false,
    seed,
    schedule: recipe.schedule,
    inputs: trainingInputs(students, config, set),
    feed: (inputs, active, step) => {
      forwardTeacher(teacher, inputs, active, step);
    },
  });
  const trained = new Map(
    students.flatMap(student => {
      const outcome = outcomes.get(student)!;
      return outcome.status === 'fulfilled' ? [[student, outcome.value] as const] : [];
    }),
  );
  const heldOut = settle(() => heldOutLosses(trained, teacher, dataset.validation));
  const results = new Map(
    students.map(student => {
      const outcome = outcomes.get(student)!;
      return [
        student.context,
        outcome.status === 'rejected'
          ? outcome
          : settle(() => {
              if (heldOut.status === 'rejected') throw heldOut.reason;
              return saveStudent(student, outcome.value, heldOut.value.get(student)!);
            }),
      ];
    }),
  );
  for (const { params } of trained.values()) tf.dispose(params);
  return results;
}

function settle<T>(run: () => T): Settled<T> {
  try {
    return { status: 'fulfilled', value: run() };
  } catch (reason) {
    return { status: 'rejected', reason };
  }
}

/** Saves the encoder alone: projections and decoder serve only in training. */
function saveStudent({ context, known }: Student, { params, losses }: Trained, { trained, untrained }: HeldOut): StageResult {
  saveModel(context, Object.fromEntries(Object.keys(encoderSpec(context.recipe.model)).map(name => [name, params[name]!])));
  return { loss: losses['loss']!, val_loss: trained, val_loss_untrained: untrained, val_loss_ratio: trained / untrained, ...known };
}

/** Distillation losses on held-out images, with the trained weights and with the initial ones. */
interface HeldOut {
  readonly trained: number;
  readonly untrained: number;
}

/** The teacher runs once for all of them. */
function heldOutLosses(trained: ReadonlyMap<Student, Trained>, teacher: Teacher, set: ImageSet): Map<Student, HeldOut> {
  const students = [...trained.keys()];
  if (students.length === 0) return new Map();
  const evaluations = new Map(students.map(student => [student, new HeldOutEvaluation(student, trained.get(student)!.params)]));
  const inputs = evaluationInputs(students, set);
  try {
    heldOutBatches(set, students[0]!.schedule).forEach(({ images }, index) => {
      const batch = upload(inputs(images, index));
      try {
        forwardTeacher(teacher, batch, students, (student, own) => {
          evaluations.get(student)!.add(own);
        });
      } finally {
        tf.dispose(batch);
      }
    });
    return new Map([...evaluations].map(([student, evaluation]) => [student, evaluation.means()]));
  } finally {
    for (const evaluation of evaluations.values()) evaluation.dispose();
  }
}

/** Held-out losses of one student, batch by batch. */
class HeldOutEvaluation {
  readonly #evaluator: Evaluator;
  readonly #trained: Params;
  readonly #untrained: Params;
  readonly #losses: Record<keyof HeldOut, number>[] = [];

  constructor({ context, loss, engine, signature, weights }: Student, trained: Params) {
    context.progress({ phase: 'evaluate', step: 0, steps: 0 });
    this.#evaluator = createEvaluator(loss, { engine, signature: `evaluate ${signature}` });
    this.#trained = trained;
    this.#untrained = toTensors(weights);
  }

  add(batch: Inputs): void {
    this.#losses.push({ trained: this.#lossOf(this.#trained, batch), untrained: this.#lossOf(this.#untrained, batch) });
  }

  means(): HeldOut {
    const { trained, untrained } = meanLosses(this.#losses);
    return { trained: trained!, untrained: untrained! };
  }

  dispose(): void {
    this.#evaluator.dispose();
    tf.dispose(this.#untrained);
  }

  #lossOf(params: Params, batch: Inputs): number {
    this.#evaluator.use(params);
    const losses = this.#evaluator.run(batch);
    return (losses['distillation'] ?? losses['loss'])!;
  }
}
