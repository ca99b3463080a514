/** What a worker process prints by itself (its native libraries, a crash), in a file of its own: a worker outlives its attempts. */
import { openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { filesWithin, nodeFiles, type Files } from './files.ts';
import { layout } from './layout.ts';
import { madeBy } from './names.ts';
import { readEnd } from './read.ts';

/** Of a longer output the end is shown. */
const SHOWN_BYTES = 65_536;

/** Whatever else stands in the folder is not ours to remove. */
export const isWorkerOutput = (name: string): boolean => /^[^.].*-[0-9a-f]{8}~[^~]+\.txt$/.test(name);

export class WorkerOutput {
  readonly path: string;
  readonly #files: Files;

  /**
   * Names a file of the store that no other worker has. The name tells who started the worker (this process): once that is
   * gone, `Store.clearLeftovers` removes the file.
   * @param place for people, e.g. `cpu:0`
   */
  constructor(store: string, place: string) {
    this.#files = filesWithin(store, nodeFiles);
    this.#files.makeFolder(layout.workers(store));
    this.path = join(layout.workers(store), `${place.replace(':', '-')}-${madeBy()}.txt`);
  }

  /** A descriptor to hand to the process; the caller closes it. */
  open(): number {
    return openSync(this.path, 'a');
  }

  /** Bytes so far: a mark for `since`. */
  size(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** What was printed after `mark`, at most its last 64 KiB. */
  since(mark: number): string {
    if (this.size() <= mark) return '';
    return readEnd(this.path, SHOWN_BYTES, mark).trimEnd();
  }

  remove(): void {
    this.#files.remove(this.path);
  }
}
