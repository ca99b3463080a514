/** Training steps in one of two ways, with the same numbers up to rounding: op by op, or as one compiled graph. */
import { adamwRates, adamwUpdate, type AdamWRates } from '../optim/adamw.ts';
import { accumulateGrads } from '../optim/accumulate.ts';
import type { Mode } from '../tensor/compile/compile-step.ts';
import { compileProgram, type Program } from '../tensor/compile/program.ts';
import type { Precision } from '../tensor/compile/rewrite.ts';
import type { StepFunction } from '../tensor/compile/step.ts';
import * as tf from '../tensor/tf.ts';
import type { Params } from '../tensor/weights.ts';
import { lossesAndGrads, slice, trainStep, upload, type HostInputs, type Inputs, type Objective, type StepOptions, type TrainState } from './train-step.ts';

export interface Trainer {
  /** Makes one optimizer step. @returns losses as means over the batch */
  step(inputs: HostInputs, lr: number): Record<string, number>;
  /** Lends the state as it is now; its tensors are valid until `use` is done. */
  lend<T>(use: (state: TrainState) => T | Promise<T>): Promise<T>;
  /** Ends the training: the parameters are the caller's, everything else is freed. */
  finish(): Params;
}

export interface TrainerOptions extends StepOptions {
  /** Of products in the graph. Default `float32`, as everything else is. */
  readonly precision?: Precision;
}

/** @param state its tensors are taken over */
export function createTrainer(mode: Mode, state: TrainState, objective: Objective, options: TrainerOptions): Trainer {
  return mode === 'eager' ? eagerTrainer(state, objective, options) : graphTrainer(state, objective, options);
}

function eagerTrainer(initial: TrainState, objective: Objective, options: StepOptions): Trainer {
  let state = initial;
  return {
    step: (inputs, lr) => {
      const next = trainStep(state, inputs, lr, objective, options);
      state = next.state;
      return next.losses;
    },
    lend: async use => use(state),
    finish: () => {
      tf.dispose([state.optimizer.m, state.optimizer.v]);
      return state.params;
    },
  };
}

/**
 * The graph holds parameters, moments and (with several micro-batches) the sums of gradients. It is compiled at the first
 * step, for the shapes of its inputs.
 */
function graphTrainer(initial: TrainState, objective: Objective, options: TrainerOptions): Trainer {
  const { betas, microBatches, precision = 'float32' } = options;
  let done = initial.optimizer.step;
  let program: Program | undefined;

  /** The program that steps from now on; it has copied the initial state. */
  const compiled = (inputs: Inputs, rates: Params): Program => {
    if (program) return program;
    const { params, optimizer: { m, v } } = initial;
    const sums = microBatches === 1 ? {} : zerosLike(m);
    const functions = stepFunctions(objective, options);
    program = compileProgram({
      ...(microBatches > 1 && { accumulate: { fn: functions.accumulate, inputs } }),
      step: { fn: functions.step, inputs: { ...inputs, ...rates } },
    }, { state: flatten({ params, m, v, sums }), frozen: objective.frozen ?? {}, precision });
    tf.dispose([params, m, v, sums]);
    return program;
  };

  return {
    step: (inputs, lr) => {
      const rates = uploadRates(adamwRates({ lr, step: done + 1, betas }));
      const losses = Array.from({ length: microBatches }, (_, index) => {
        const batch = upload(slice(inputs, index, microBatches));
        const last = index === microBatches - 1;
        const values = compiled(batch, rates).run(last ? 'step' : 'accumulate', last ? { ...batch, ...rates } : batch);
        tf.dispose(batch);
        return values;
      });
      tf.dispose(rates);
      done += 1;
      return means(losses);
    },
    lend: async use => {
      if (!program) return use(initial);
      const tensors = program.readState();
      const { params, m, v } = unflatten(tensors);
      try {
        return await use({ params, optimizer: { step: done, m, v } });
      } finally {
        tf.dispose(tensors);
      }
    },
    finish: () => {
      const { params, ...rest } = program ? unflatten(program.readState()) : { params: initial.params, ...initial.optimizer };
      tf.dispose(rest);
      program?.dispose();
      return params;
    },
  };
}

/**
 * `accumulate` adds the gradients of a micro-batch to the sums; `step` does so with the last one, updates the parameters and
 * sets the sums back.
 */
function stepFunctions(objective: Objective, { groups, betas, microBatches }: StepOptions): { accumulate: StepFunction; step: StepFunction } {
  const meanGrads = (sums: Params, grads: Params): Record<string, tf.Tensor> =>
    accumulateGrads(Object.fromEntries(Object.keys(grads).filter(name => name in sums).map(name => [name, sums[name]!])), grads, microBatches);
  return {
    accumulate: (state, inputs) => {
      const { params, sums } = unflatten(state);
      const { values, grads } = lossesAndGrads(objective, params, groups, inputs);
      return { state: flatten({ sums: meanGrads(sums, grads) }), outputs: values };
    },
    step: (state, inputs) => {
      const { params, m, v, sums } = unflatten(state);
      const { batch, rates } = splitRates(inputs);
      const { values, grads } = lossesAndGrads(objective, params, groups, batch);
      const next = adamwUpdate({ grads: meanGrads(sums, grads), params, m, v, rates, betas, groups });
      const reached = Object.fromEntries(Object.entries(sums).filter(([name]) => name in grads));
      return { state: flatten({ ...next, sums: zerosLike(reached) }), outputs: values };
    },
  };
}

const PARTS = ['params', 'm', 'v', 'sums'] as const;
type Parts = Readonly<Record<(typeof PARTS)[number], Params>>;

/** The state as one record: `params/norm.weight`, `m/norm.weight`, ... */
function flatten(parts: Partial<Parts>): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(parts).flatMap(([part, tensors]) =>
    Object.entries(tensors).map(([name, tensor]) => [`${part}/${name}`, tensor])));
}

function unflatten(state: Params): Parts {
  const part = (which: string): Params => Object.fromEntries(Object.entries(state).flatMap(([name, tensor]) =>
    (name.startsWith(`${which}/`) ? [[name.slice(which.length + 1), tensor]] : [])));
  return Object.fromEntries(PARTS.map(which => [which, part(which)])) as unknown as Parts;
}

const RATE = 'rate/';

function uploadRates(rates: AdamWRates<number>): Record<string, tf.Tensor> {
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

const zerosLike = (tensors: Params): Record<string, tf.Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tf.zerosLike(tensor)]));

function means(losses: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(losses[0] ?? {});
  return Object.fromEntries(names.map(name => [name, losses.reduce((sum, values) => sum + values[name]!, 0) / losses.length]));
}
