import { castKernel } from './cast.ts';
import { gatherKernel } from './gather.ts';
import { matMulKernel } from './mat-mul.ts';
import { replaceKernel, addKernel } from './backend.ts';
import { segmentSumKernel } from './segment-sum.ts';

let mended = false;

/** Adds what the package lacks, and replaces what is wrong or slow in it; once per process, before the backend starts. */
export function mendKernels(): void {
  if (mended) return;
  mended = true;
  addKernel('UnsortedSegmentSum', segmentSumKernel);
  replaceKernel('BatchMatMul', matMulKernel);
  replaceKernel('GatherV2', gatherKernel);
  replaceKernel('Cast', castKernel);
}
