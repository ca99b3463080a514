/**
 * Classifiers and corrupted images to errors and mCE. They always run as a pack, if only of one: images are corrupted, or decoded, once, and every
 * classifier is shown each batch.
 */
import { setImmediate } from 'node:timers/promises';
import type { PackRunner, StageContext, StageResult, StageRunner } from '../../core/ablation/kind.ts';
import { openCorrupted, type CorruptedImages } from '../data/test-sets.ts';
import { CorruptedClassifier } from './corrupted-classifier.ts';
import type { EvaluateCorruptedRecipe } from './recipes.ts';
import { loadEngineAndDataset, upstreamConfig } from './stage-io.ts';

type Context = StageContext<EvaluateCorruptedRecipe>;
type Settled = PromiseSettledResult<StageResult>;

export const runEvaluateCorrupted: StageRunner<EvaluateCorruptedRecipe> = async context => {
  const [outcome] = await runEvaluateCorruptedPack([context]);
  if (outcome!.status === 'rejected') throw outcome!.reason;
  return outcome!.value;
};

/** @param contexts stages of equal `packing` keys (`packing.ts`) */
export const runEvaluateCorruptedPack: PackRunner<EvaluateCorruptedRecipe> = async contexts => {
  const outcomes = new Map<Context, Settled>();
  const classifiers: CorruptedClassifier[] = [];
  const fail = (context: Context, reason: unknown): void => void outcomes.set(context, { status: 'rejected', reason });
  let images: CorruptedImages | undefined;
  for (const context of contexts) {
    try {
      const { image_size: size } = upstreamConfig(context.upstream['weights']),
        { split, corrupted } = context.recipe;
      const dataset = await loadEngineAndDataset(context, { image_size: size });
      images ??= openCorrupted(corrupted, { dataset, split, dataDir: context.execution.dataDir, size });
      classifiers.push(await CorruptedClassifier.open(context, dataset, images));
    } catch (error) {
      fail(context, error);
    }
  }
  try {
    for (const corruption of images?.corruptions ?? []) {
      await showCorruption(
        images!,
        corruption,
        classifiers.filter(({ context }) => !outcomes.has(context)),
        fail,
      );
    }
    for (const classifier of classifiers)
      if (!outcomes.has(classifier.context))
        outcomes.set(
          classifier.context,
          settle(() => classifier.result()),
        );
  } finally {
    for (const classifier of classifiers) classifier.dispose();
  }
  return contexts.map(context => outcomes.get(context)!);
};

/** @param fail takes a classifier out, and why: the others go on */
async function showCorruption(images: CorruptedImages, corruption: string, classifiers: readonly CorruptedClassifier[], fail: (context: Context, reason: unknown) => void): Promise<void> {
  let watching = classifiers.filter(classifier => classifier.lacks(corruption));
  if (watching.length === 0) return;
  const doing = async (act: (classifier: CorruptedClassifier) => void | Promise<void>): Promise<void> => {
    const left: CorruptedClassifier[] = [];
    for (const classifier of watching) {
      try {
        await act(classifier);
        left.push(classifier);
      } catch (error) {
        fail(classifier.context, error);
      }
    }
    watching = left;
  };
  const { batch_size, crop } = classifiers[0]!.context.recipe;
  await doing(classifier => {
    classifier.begin();
  });
  for await (const batch of images.batches(corruption, batch_size, crop?.resize)) {
    await doing(classifier => classifier.show(batch));
    if (watching.length === 0) return;
    await setImmediate(); // batches block the event loop: let messages in
  }
  await doing(classifier => classifier.end(corruption));
}

function settle(run: () => StageResult): Settled {
  try {
    return { status: 'fulfilled', value: run() };
  } catch (reason) {
    return { status: 'rejected', reason };
  }
}
