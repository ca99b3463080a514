/** A forward pass of one model as a compiled function, for evaluations. */
import { compileStep, type CompiledStep } from '../../engine/compile/compile-step.ts';
import type { Params } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import type { EngineRecipe } from './recipes.ts';
import type { Inputs } from './train-step.ts';

export interface Evaluator {
  /** The parameters from now on, of the names and shapes of the first call. They stay the caller's. */
  use(params: Params): void;
  /** Scalars for one batch with the parameters in use. The inputs, of the shapes of the first call, stay the caller's. */
  run(inputs: Inputs): Record<string, number>;
  /** The same for outputs of any shape, row-major. */
  runArrays(inputs: Inputs): Record<string, Float32Array>;
  dispose(): void;
}

export interface EvaluatorOptions {
  readonly engine: EngineRecipe;
  /** All that decides the graph, beside the shapes of parameters and inputs; see `signature.ts`. */
  readonly signature: string;
}

/** @param fn pure; its outputs are float32 */
export function createEvaluator(fn: (params: Params, inputs: Inputs) => Params, { engine, signature }: EvaluatorOptions): Evaluator {
  let step: CompiledStep | undefined;
  const ready = (): CompiledStep => {
    if (!step) throw new Error('Expected parameters before a batch, got none.');
    return step;
  };
  return {
    use: params => {
      if (step) step.writeState(params);
      else step = compileStep((state, inputs) => ({ state: {}, outputs: fn(state, inputs) }), { state: params, ...engine, signature });
    },
    run: inputs => ready().run(inputs),
    runArrays: inputs => {
      const outputs = ready().compute(inputs);
      try {
        return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, value.dataSync<'float32'>()]));
      } finally {
        tf.dispose(outputs);
      }
    },
    dispose: () => step?.dispose(),
  };
}
