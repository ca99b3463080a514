/** This package's side of the race of single steps: answers on stdout what is asked on stdin. */
import { loadEngine } from '../../../src/engine/backend.ts';
import { readWeights } from '../../../src/engine/formats/weights.ts';
import type { StepCase } from './cases.ts';
import type { Contender } from './contenders.ts';
import { hostBatches } from './host-batches.ts';
import { createStep } from './our-step.ts';
import { serve } from './peer.ts';
import type { CaseFiles } from './prepare.ts';

export interface StartRequest {
  readonly step: StepCase;
  readonly files: CaseFiles;
  readonly mode: Exclude<Contender['mode'], 'compile'>;
  readonly precision: Contender['precision'];
  readonly threads: number;
  readonly device: 'cpu' | 'gpu';
}

let run: () => number = () => {
  throw new Error('Expected a start before the first step, got none.');
};

serve({
  start: async ({ step, files, mode, precision, threads, device }: StartRequest) => {
    const engine = await loadEngine({ device, threads });
    const batches = hostBatches(step, files.inputs);
    const stepOn = createStep(step, { weights: readWeights(files.weights), teacher: files.teacher === undefined ? undefined : readWeights(files.teacher) }, { mode, precision });
    let done = 0;
    run = () => stepOn(batches[done++ % batches.length]!);
    return { versions: { tensorflow: engine.libraryVersion, tfjs: engine.tfjsVersion, node: process.version }, device: engine.device };
  },
  steps: ({ count }: { count: number }) => {
    const began = performance.now();
    const losses = Array.from({ length: count }, () => run());
    return { seconds: (performance.now() - began) / 1e3, losses, peak_bytes: process.resourceUsage().maxRSS * 1024 };
  },
});
