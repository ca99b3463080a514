/** What our kinds of stage have in common. */
import type { MetricSpec } from '../../core/ablation/kind.ts';
import { modeEnvironment } from '../../engine/compile/mode.ts';
import { precisionEnvironment } from '../../engine/tf32.ts';
import type { EngineRecipe } from './recipes.ts';

export const lossMetric = (label: string, help: string): MetricSpec => ({ label, unit: 'loss', better: 'lower', help });

/** Variables that the engine reads at the start of its process. */
export const environment = ({ engine }: { readonly engine: EngineRecipe }): Record<string, string> => ({ ...modeEnvironment(engine.mode), ...precisionEnvironment(engine.precision) });

/**
 * Measured, op by op and stage by stage: as a graph of float32 every number keeps its bits. Long sums of products do not in bfloat16, nor in
 * float32 op by op: there TensorFlow cuts them into as many pieces as it has threads.
 */
export const anyThreads = ({ engine }: { readonly engine: EngineRecipe }): boolean => engine.mode === 'graph' && engine.precision === 'float32';
