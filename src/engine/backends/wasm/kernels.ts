import { addKernel, replaceKernel } from './backend.ts';
import { castKernel } from './cast.ts';
import { gatherKernel } from './gather.ts';
import { identityKernel } from './identity.ts';
import { matMulKernel } from './mat-mul.ts';
import { segmentSumKernel } from './segment-sum.ts';
import { splitKernel } from './split.ts';

let mended = false;

/** Adds what the package lacks, and replaces what is wrong or slow in it; once per process, before the backend starts. */
export function mendKernels(): void {
  if (mended) return;
  mended = true;
  addKernel('UnsortedSegmentSum', segmentSumKernel);
  replaceKernel('BatchMatMul', matMulKernel);
  replaceKernel('GatherV2', gatherKernel);
  replaceKernel('Cast', castKernel);
  replaceKernel('SplitV', splitKernel);
  replaceKernel('Identity', () => identityKernel);
}
