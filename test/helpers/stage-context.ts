/** What a stage needs to run outside a worker: nothing is recorded, no checkpoint is made. */
import { mkdirSync } from 'node:fs';
import type { Progress, StageContext } from '../../src/core/ablation/kind.ts';

export interface StageToRun extends Pick<StageContext, 'recipe' | 'seed' | 'upstream'> {
  /** Is made. */
  readonly output: string;
}

interface Surroundings {
  readonly threads: number;
  readonly dataDir: string;
  readonly progress: (progress: Progress) => void;
}

export function stageContext({ output, ...stage }: StageToRun, { threads, dataDir, progress }: Surroundings): StageContext {
  mkdirSync(output, { recursive: true });
  return {
    ...stage,
    output,
    scratch: `${output}-scratch`,
    execution: { device: 'cpu', threads, dataDir, acceptEngineChange: false },
    checkpoints: { latest: () => Promise.resolve(undefined), due: () => false, save: () => Promise.resolve() },
    metric: () => undefined,
    progress,
    items: () => undefined,
    log: () => undefined,
    provenance: () => undefined,
    signal: new AbortController().signal,
  };
}
