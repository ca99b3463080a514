/** How it is recognised that memory ran out: by what engines say, and by what the system counts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gpuFailure } from './gpu-failures.ts';

/** Code of such a failure. */
export const OUT_OF_MEMORY = 'OUT_OF_MEMORY';

/** What a person can do where smaller micro-batches do not suffice. */
export const MEMORY_REMEDY = 'It goes on alone, then with half the micro-batch as long as its batch can be divided; beyond that, let fewer workers share the memory (--devices).';

/** TensorFlow (also through tfjs, which passes its status on), CUDA, Node and the C++ library. */
const WORDS = [
  /\bresource[ _]exhausted\b/i,
  /Invalid TF_Status: 8\b/, // TF_RESOURCE_EXHAUSTED
  /\bOOM when allocating\b/,
  /\bran out of (?:GPU )?memory\b/i,
  /\bout of memory\b/i,
  /\bCU\w*(?:OUT_OF_MEMORY|ALLOC_FAILED)\b/,
  /\bArray buffer allocation failed\b/,
  /\b(?:ENOMEM|ERR_WORKER_OUT_OF_MEMORY)\b/,
  /\bcannot allocate memory\b/i,
  /\bstd::bad_alloc\b/,
];

/** Whether an error, or what a process printed before it broke off, says that memory ran out; not where it left no room even for a GPU's libraries. */
export function saysOutOfMemory(text: string): boolean {
  return gpuFailure(text) === undefined && WORDS.some(words => words.test(text));
}

/**
 * Processes that the kernel has ended for want of memory: within our control group, else on the whole machine. Undefined where
 * the system does not tell. A daemon that ends processes before the kernel does is not counted.
 * @param root of the file system
 */
export function kernelKills(root = '/'): number | undefined {
  return countIn(join(root, 'sys/fs/cgroup', controlGroup(root), 'memory.events')) ?? countIn(join(root, 'proc/vmstat'));
}

function countIn(file: string): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(read(file))?.[1];
  return count === undefined ? undefined : Number(count);
}

/** Path of our own in the unified hierarchy. */
const controlGroup = (root: string): string => /^0::(.+)$/m.exec(read(join(root, 'proc/self/cgroup')))?.[1] ?? '/';

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
