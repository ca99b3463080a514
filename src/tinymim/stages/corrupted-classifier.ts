/** A classifier that is shown corrupted images, corruption after corruption: what it made of those that it has seen, and the way to go on from there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Interrupted, PermanentError } from '../../core/ablation/errors.ts';
import type { Checkpoint, StageContext, StageResult } from '../../core/ablation/kind.ts';
import { loadEngine } from '../../engine/backend.ts';
import { toTensors, type Params } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import type { Dataset } from '../data/dataset.ts';
import type { EvalBatch } from '../data/image-set.ts';
import type { CorruptedImages } from '../data/test-sets.ts';
import { addScores, ALEXNET_ERRORS, errorShares, meanCorruptionError, meanError, noScores, type CorruptedScores } from './corruption-error.ts';
import { readScores, writeScores } from './corrupted-scores-file.ts';
import { acceptChanges, engineChanges, engineRecord, type EngineRecord } from './engine-record.ts';
import type { EvaluateCorruptedRecipe } from './recipes.ts';
import { createScorer, type Scorer, type Scoring } from './score.ts';
import { upstreamModel } from './stage-io.ts';

type Context = StageContext<EvaluateCorruptedRecipe>;

/** What stands beside the scores in a checkpoint, whose step is the number of corruptions that were seen. */
interface Progress {
  /** On which they were seen. */
  readonly engine: EngineRecord;
}

const PROGRESS = 'progress.json';

export class CorruptedClassifier {
  readonly context: Context;
  readonly #images: CorruptedImages;
  readonly #engine: EngineRecord;
  readonly #scores: CorruptedScores;
  readonly #params: Params;
  readonly #scorer: Scorer;
  /** Corruptions, of all images at all severities. */
  #seen: number;
  #saved: number;
  #scoring: Scoring | undefined;
  /** Batches of the corruption that is shown. */
  #batches = 0;

  /** Where the stage was in the middle, it goes on from there. @throws PermanentError `CHECKPOINT_ENGINE` on another engine */
  static async open(context: Context, dataset: Dataset, images: CorruptedImages): Promise<CorruptedClassifier> {
    const { device, threads, acceptEngineChange } = context.execution;
    const engine = engineRecord(await loadEngine({ device, threads }), context.recipe.engine);
    const checkpoint = await context.checkpoints.latest();
    if (checkpoint) acceptChanges(engineChanges(engineOf(checkpoint), engine), acceptEngineChange);
    return new CorruptedClassifier(context, dataset, images, engine, checkpoint);
  }

  private constructor(context: Context, dataset: Dataset, images: CorruptedImages, engine: EngineRecord, checkpoint?: Checkpoint) {
    const { recipe, upstream } = context,
      { corruptions, count } = images;
    const { config, weights } = upstreamModel(upstream['weights']);
    this.context = context;
    this.#images = images;
    this.#engine = engine;
    this.#seen = this.#saved = checkpoint?.step ?? 0;
    this.#scores = checkpoint ? readScores(checkpoint.dir, corruptions, count) : noScores(corruptions, count);
    this.#params = toTensors(weights);
    this.#scorer = createScorer(recipe.engine, config, dataset, recipe.batch_size, images.answers);
    if (checkpoint) context.log(`Goes on after ${this.#seen} of ${corruptions.length} corruptions.`);
    this.#tell();
  }

  /** Whether it has not seen the corruption. */
  lacks(corruption: string): boolean {
    return this.#images.corruptions.indexOf(corruption) >= this.#seen;
  }

  /** Before the first batch of a corruption. */
  begin(): void {
    this.#scoring = this.#scorer.begin(this.#params, this.#images.shape);
    this.#batches = 0;
  }

  /** @throws Interrupted when asked to stop: what it has seen is kept */
  async show(batch: EvalBatch): Promise<void> {
    if (this.context.signal.aborted) {
      await this.#save();
      throw new Interrupted();
    }
    this.#scoring!.add(batch);
    this.#batches++;
    this.#tell();
  }

  /** Behind the last batch of a corruption. */
  async end(corruption: string): Promise<void> {
    addScores(this.#scores, corruption, this.#scoring!.score().right);
    this.#seen++;
    if (this.context.checkpoints.due()) await this.#save();
  }

  /** @throws PermanentError where there is no mCE */
  result(): StageResult {
    const { output, recipe, upstream } = this.context,
      { corruptions, count } = this.#images;
    const { reference } = upstream;
    const denominators = recipe.denominators === 'alexnet' ? ALEXNET_ERRORS : reference ? readScores(reference.output, corruptions, count) : this.#scores;
    const mce = meanCorruptionError(this.#scores, denominators);
    if (mce === undefined) {
      throw new PermanentError(
        'NO_ERRORS',
        `Expected the ${reference ? 'reference' : 'classifier, which is its own reference,'} to make errors under every corruption, got one without any, by which nothing can be divided: ask for more images (robustness.imagenet_c.images)`,
      );
    }
    const error = meanError(this.#scores);
    writeScores(output, this.#scores);
    return { mce: mce.value, mce_se: mce.error, error: error.value, error_se: error.error, count, ...errorShares(this.#scores) };
  }

  dispose(): void {
    this.#scorer.dispose();
    tf.dispose(this.#params);
  }

  #tell(): void {
    const perCorruption = Math.ceil(this.#images.shape.count / this.context.recipe.batch_size);
    this.context.progress({ phase: 'step', step: this.#seen * perCorruption + this.#batches, steps: this.#images.corruptions.length * perCorruption });
  }

  async #save(): Promise<void> {
    if (this.#saved === this.#seen) return;
    await this.context.checkpoints.save(this.#seen, dir => {
      writeScores(dir, this.#scores);
      writeFileSync(join(dir, PROGRESS), JSON.stringify({ engine: this.#engine } satisfies Progress));
      return Promise.resolve();
    });
    this.#saved = this.#seen;
  }
}

const engineOf = ({ dir }: Checkpoint): EngineRecord => (JSON.parse(readFileSync(join(dir, PROGRESS), 'utf8')) as Progress).engine;
