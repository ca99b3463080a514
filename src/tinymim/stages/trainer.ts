/**
 * Training steps of one model: parameters, moments, (with several micro-batches) sums of gradients and (where a recipe wants one) the
 * average of the parameters live in a program.
 */
import { adamwRates, adamwUpdate, type AdamWRates, type AdamWState } from '../optim/adamw.ts';
import { accumulateGrads } from '../optim/accumulate.ts';
import { updatedAverage } from '../optim/ema.ts';
import type { ParamGroups } from '../optim/groups.ts';
import { typesOf } from '../../engine/compile/checks.ts';
import { compileProgram } from '../../engine/compile/compile-program.ts';
import type { Program } from '../../engine/compile/program.ts';
import { readScalars } from '../../engine/compile/scalars.ts';
import type { StepFunction } from '../../engine/compile/step.ts';
import { makeAll } from '../../engine/make-all.ts';
import * as tf from '../../engine/tf.ts';
import type { Params } from '../../engine/formats/weights.ts';
import type { EngineRecipe } from './recipes.ts';
import { lossesAndGrads, meanLosses, type Inputs, type SettingLossFunction } from './train-step.ts';

export interface TrainState {
  readonly params: Params;
  readonly optimizer: AdamWState;
  /** Running average of the parameters, where one is kept. */
  readonly average?: Params;
}

/** What a training is for: the averaged weights where there are any. */
export const weightsOf = ({ params, average }: TrainState): Params => average ?? params;

export interface TrainerOptions {
  readonly loss: SettingLossFunction;
  /** Parameters with a group are trained; the others stay as they are, unless the loss sets them. */
  readonly groups: ParamGroups;
  readonly betas: readonly [number, number];
  /** Of the average; without one the state has none. */
  readonly emaDecay?: number | undefined;
  readonly microBatches: number;
  readonly engine: EngineRecipe;
  /** All that decides the graph of a step, beside the shapes of state and inputs; see `signature.ts`. */
  readonly signature: string;
}

/** Losses that are still in the engine: reading them waits until the step has been computed. */
export interface StepLosses {
  /** Means over the batch; once. */
  read(): Record<string, number>;
  /** Where nobody reads them. */
  dispose(): void;
}

export interface Trainer {
  /**
   * Takes one micro-batch; the last one of a step updates the parameters. The inputs stay the caller's.
   * @returns after the last one, the losses of the step
   */
  feed(inputs: Inputs, lr: number): StepLosses | undefined;
  /** Calls `use` with the state as it is now, whose tensors are valid until it is done. */
  withState<T>(use: (state: TrainState) => T | Promise<T>): Promise<T>;
  /** Ends the training: its weights (`weightsOf`) are the caller's, everything else is freed. */
  finish(): Params;
  /** Ends it with nothing: all is freed, and nothing is read, for which memory may be wanting. */
  dispose(): void;
}

/**
 * The program is compiled at the first micro-batch, for the shapes of its inputs.
 * @param state its tensors are taken over
 */
export function createTrainer(initial: TrainState, options: TrainerOptions): Trainer {
  const { betas, emaDecay, microBatches } = options;
  let done = initial.optimizer.step;
  let program: Program | undefined;
  /** Of the micro-batches of a step. */
  let losses: Record<string, tf.Tensor>[] = [];

  /** The program that steps from now on; it has copied the initial state. */
  const compiled = (inputs: Inputs, rates: Params): Program => {
    if (program) return program;
    const {
      params,
      optimizer: { m, v },
      average = {},
    } = initial;
    const state = stepState(initial, microBatches);
    try {
      program = compileStepFunctions(state, inputs, rates, options);
    } finally {
      tf.dispose(unflatten(state).sums);
    }
    tf.dispose([params, m, v, average]);
    return program;
  };

  return {
    feed: (inputs, lr) => {
      const rates = uploadRates(adamwRates({ lr, step: done + 1, betas }));
      const last = losses.length === microBatches - 1;
      try {
        losses.push(compiled(inputs, rates).compute(last ? 'step' : 'accumulate', last ? { ...inputs, ...rates } : inputs));
      } finally {
        tf.dispose(rates);
      }
      if (!last) return undefined;
      if (emaDecay !== undefined) tf.dispose(program!.compute('average', {}));
      const parts = losses;
      losses = [];
      done += 1;
      return { read: () => meanLosses(parts.map(readScalars)), dispose: () => tf.dispose(parts) };
    },
    withState: async use => {
      if (!program) return use(initial);
      const tensors = program.readState();
      const { params, m, v, average } = unflatten(tensors);
      try {
        return await use({ params, optimizer: { step: done, m, v }, ...(initial.average && { average }) });
      } finally {
        tf.dispose(tensors);
      }
    },
    finish: () => {
      const { params, average, m, v, sums } = program ? unflatten(program.readState()) : { ...NO_PARTS, ...initial, ...initial.optimizer };
      const [kept, unused] = initial.average ? [average, params] : [params, average];
      tf.dispose([unused, m, v, sums, losses]);
      program?.dispose();
      return kept;
    },
    dispose: () => {
      tf.dispose(losses);
      if (program) program.dispose();
      else tf.dispose([initial.params, initial.optimizer.m, initial.optimizer.v, initial.average ?? {}]);
    },
  };
}

/** What a program of `stepFunctions` holds. @internal */
export function stepState({ params, optimizer: { m, v }, average = {} }: TrainState, microBatches: number): Params {
  return flatten({ params, m, v, sums: microBatches === 1 ? {} : zerosLike(m), average });
}

function compileStepFunctions(state: Params, inputs: Inputs, rates: Params, { engine, signature, ...options }: TrainerOptions): Program {
  const { accumulate, step, average } = stepFunctions(options);
  return compileProgram(
    {
      ...(options.microBatches > 1 && { accumulate: { fn: accumulate, inputs: typesOf(inputs) } }),
      step: { fn: step, inputs: typesOf({ ...inputs, ...rates }) },
      ...(options.emaDecay !== undefined && { average: { fn: average, inputs: {} } }),
    },
    { state, ...engine, signature },
  );
}

/**
 * `accumulate` adds the gradients of a micro-batch to the sums; `step` does so with the last one, updates the parameters and sets the
 * sums back. `average`, where there is an `emaDecay`, comes after it: a function of its own, so that parameters and moments are updated as
 * without it, in one pass.
 * @internal
 */
export function stepFunctions({ loss, groups, betas, emaDecay, microBatches }: Omit<TrainerOptions, 'engine' | 'signature'>): Record<'accumulate' | 'step' | 'average', StepFunction> {
  const meanGrads = (sums: Params, grads: Params): Record<string, tf.Tensor> =>
    accumulateGrads(
      Object.fromEntries(
        Object.keys(grads)
          .filter(name => name in sums)
          .map(name => [name, sums[name]!]),
      ),
      grads,
      microBatches,
    );
  return {
    accumulate: (state, inputs) => {
      const { params, sums } = unflatten(state);
      const { values, grads, next } = lossesAndGrads(loss, params, groups, inputs);
      return { state: flatten({ params: next, sums: meanGrads(sums, grads) }), outputs: values };
    },
    step: (state, inputs) => {
      const { params, m, v, sums } = unflatten(state);
      const { batch, rates } = splitRates(inputs);
      const { values, grads, next } = lossesAndGrads(loss, params, groups, batch);
      const updated = adamwUpdate({ grads: meanGrads(sums, grads), params, m, v, rates, betas, groups });
      const reached = Object.fromEntries(Object.entries(sums).filter(([name]) => name in grads));
      return { state: flatten({ ...updated, params: { ...updated.params, ...next }, sums: zerosLike(reached) }), outputs: values };
    },
    average: state => {
      const { params, average } = unflatten(state);
      return { state: flatten({ average: updatedAverage(average, params, emaDecay!) }), outputs: { decay: tf.scalar(emaDecay!) } }; // a function has an output
    },
  };
}

const PARTS = ['params', 'm', 'v', 'sums', 'average'] as const;
type Parts = Readonly<Record<(typeof PARTS)[number], Params>>;
const NO_PARTS: Parts = { params: {}, m: {}, v: {}, sums: {}, average: {} };

/** The state as one record: `params/norm.weight`, `m/norm.weight`, ... */
function flatten(parts: Partial<Parts>): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(parts).flatMap(([part, tensors]) => Object.entries(tensors).map(([name, tensor]) => [`${part}/${name}`, tensor])));
}

function unflatten(state: Params): Parts {
  const part = (which: string): Params => Object.fromEntries(Object.entries(state).flatMap(([name, tensor]) => (name.startsWith(`${which}/`) ? [[name.slice(which.length + 1), tensor]] : [])));
  return Object.fromEntries(PARTS.map(which => [which, part(which)])) as unknown as Parts;
}

const RATE = 'rate/';

/** What changes from step to step in the optimizer, as inputs of `step`. @internal */
export function uploadRates(rates: AdamWRates<number>): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(rates).map(([name, value]) => [`${RATE}${name}`, tf.scalar(value as number)]));
}

/** The rates of the optimizer among the inputs, and the rest. */
function splitRates(inputs: Inputs): { rates: AdamWRates<tf.Tensor>; batch: Inputs } {
  const isRate = (name: string): boolean => name.startsWith(RATE);
  const entries = Object.entries(inputs);
  return {
    rates: Object.fromEntries(entries.filter(([name]) => isRate(name)).map(([name, value]) => [name.slice(RATE.length), value])) as unknown as AdamWRates<tf.Tensor>,
    batch: Object.fromEntries(entries.filter(([name]) => !isRate(name))),
  };
}

const zerosLike = (tensors: Params): Record<string, tf.Tensor> => makeAll(tensors, tensor => tf.zerosLike(tensor));
