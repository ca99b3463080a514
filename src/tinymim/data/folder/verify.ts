/** Reads every image of a folder, by a thread on each core: decoding takes most of the time. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { sep } from 'node:path';
import { Worker } from 'node:worker_threads';
import { toLatin1, type FoundClass } from './scan.ts';
import type { ReadClass, ToVerify } from './verify-thread.ts';

/**
 * @param classes those with a `read` were read before, and are not read again
 * @param told of each class when it is read
 * @returns of each class what reading told
 */
export async function verifyClasses<C extends FoundClass & { readonly read?: ReadClass }>(path: string, classes: readonly C[], told: (one: C, read: ReadClass) => void): Promise<ReadClass[]> {
  const read = classes.map(one => one.read);
  classes.forEach(one => one.read && told(one, one.read));
  let next = 0;
  const work = async (): Promise<void> => {
    const thread = new Worker(new URL('./verify-thread.mjs', import.meta.url), { execArgv: [] });
    try {
      while (next < classes.length) {
        const i = next++,
          one = classes[i]!;
        if (read[i] !== undefined) continue;
        thread.postMessage({ folder: [toLatin1(path), one.split, one.name].join(sep), files: one.files.flatMap(({ name, problem }) => (problem === undefined ? [name] : [])) } satisfies ToVerify);
        const [answer] = (await once(thread, 'message')) as [ReadClass];
        told(one, (read[i] = answer));
      }
    } finally {
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), classes.length) }, work));
  return read as ReadClass[];
}
