/** A training as the loop takes it, and what comes of it. */
import type { StageContext } from '../../core/ablation/kind.ts';
import type { ParamGroups } from '../optim/groups.ts';
import type { Params, Weights } from '../../engine/formats/weights.ts';
import type { EngineRecipe, OptimizerRecipe, ScheduleRecipe } from './recipes.ts';
import type { SettingLossFunction } from './train-step.ts';

/** One model in training. */
export interface Training {
  readonly context: StageContext<object>;
  readonly weights: Weights;
  readonly groups: ParamGroups;
  readonly loss: SettingLossFunction;
  readonly schedule: ScheduleRecipe;
  readonly optimizer: OptimizerRecipe;
  readonly engine: EngineRecipe;
  /** All that decides the graph of a step; see `signature.ts`. */
  readonly signature: string;
  /** Learning rate of a step, counted from 0; default: that of `schedule`, half a cosine. */
  readonly rate?: (step: number) => number;
  /** Numbers that are known before the first step, where the curve begins with them. */
  readonly known?: Readonly<Record<string, number>>;
  /** Numbers of the curve that cost an evaluation, e.g. the validation accuracy: taken at a few ends of epochs. */
  readonly evaluate?: (params: Params) => Record<string, number>;
}

export interface Trained {
  /** In the engine; the caller disposes of them. The average where the recipe wants one. */
  readonly params: Params;
  /** Means of the losses over the last epoch of training. */
  readonly losses: Record<string, number>;
  /** What `evaluate` gave after the last step. */
  readonly evaluated: Record<string, number>;
}
