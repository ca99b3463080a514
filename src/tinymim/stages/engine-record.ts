/** What a training's last digits depend on beside its identity: recorded with each checkpoint, and compared when it goes on. */
import { PermanentError } from '../../core/ablation/errors.ts';
import type { Engine } from '../../engine/backend.ts';
import { executedMode } from '../../engine/compile/native.ts';
import type { EngineRecipe } from './recipes.ts';

export interface EngineRecord {
  readonly engine: string;
  readonly library: string;
  readonly device: string;
  /** In which the steps really run: that of the recipe, where the engine knows it. */
  readonly mode: string;
  readonly precision: string;
  /** Model of the processor. */
  readonly cpu: string;
  /** Of a GPU alone, as `GpuFacts` has them. */
  readonly card?: string;
  readonly driver?: string;
  readonly cuda?: string;
  readonly cublas?: string;
  readonly cudnn?: string;
}

/** @param engine the one of this process, which is loaded */
export function engineRecord({ name, libraryVersion, device, cpu, gpu }: Engine, { mode, precision }: EngineRecipe): EngineRecord {
  const record = { engine: name, library: libraryVersion, device, mode: executedMode(mode), precision, cpu };
  return gpu ? { ...record, card: gpu.card, driver: gpu.driver, cuda: gpu.cuda, cublas: gpu.cublas, cudnn: gpu.cudnn } : record;
}

/** Lines such as `library 2.20.0, now 2.21.0`; none for the same engine. */
export function engineChanges(before: EngineRecord, now: EngineRecord): string[] {
  return (Object.keys(now) as (keyof EngineRecord)[]).filter(name => before[name] !== now[name]).map(name => `${name} ${before[name] ?? 'unknown'}, now ${now[name]}`);
}

/** @throws PermanentError `CHECKPOINT_ENGINE` for changes that nobody accepted: the numbers would be those of neither engine */
export function acceptChanges(changes: readonly string[], accepted: boolean): void {
  if (changes.length === 0 || accepted) return;
  throw new PermanentError(
    'CHECKPOINT_ENGINE',
    `Expected to go on with the engine that the checkpoint was written on, got another: ${changes.join('; ')}. ` +
      'The result would be that of neither engine. Resume where the stage began, allow the change (ablate sweep --accept-engine-change; its provenance will say so), or remove the attempts of the stage to begin anew.',
  );
}
