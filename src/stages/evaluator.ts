/** A forward pass of one model as a compiled function, for evaluations. */
import { compileProgram, type Program } from '../tensor/compile/program.ts';
import type { Params } from '../tensor/weights.ts';
import type { EngineRecipe } from './recipes.ts';
import type { Inputs } from './train-step.ts';

export interface Evaluator {
  /** The parameters from now on, of the names and shapes of the first call. They stay the caller's, who keeps them until the next batch has run. */
  use(params: Params): void;
  /** Scalars for one batch with the parameters in use. The inputs, of the shapes of the first call, stay the caller's. */
  run(inputs: Inputs): Record<string, number>;
  dispose(): void;
}

export interface EvaluatorOptions {
  readonly engine: EngineRecipe;
  /** All that decides the graph, beside the shapes of parameters and inputs; see `signature.ts`. */
  readonly signature: string;
}

/** @param fn pure; its outputs are scalars */
export function createEvaluator(fn: (params: Params, inputs: Inputs) => Params, { engine, signature }: EvaluatorOptions): Evaluator {
  let program: Program | undefined;
  let initial: Params | undefined;
  return {
    use: params => {
      if (program) program.writeState(params);
      else initial = params;
    },
    run: inputs => {
      if (!program) {
        if (!initial) throw new Error('Expected parameters before a batch, got none.');
        program = compileProgram({ evaluate: { fn: (params, given) => ({ state: {}, outputs: fn(params, given) }), inputs } },
          { state: initial, frozen: {}, ...engine, signature });
        initial = undefined;
      }
      return program.run('evaluate', inputs);
    },
    dispose: () => program?.dispose(),
  };
}
