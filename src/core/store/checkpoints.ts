/** Where an attempt can continue from: written whole or not at all, verified before use. */
import { join } from 'node:path';
import type { Checkpoint, Checkpoints } from '../ablation/kind.ts';
import { canonicalJson } from '../ablation/json.ts';
import { beneath } from '../disk/beneath.ts';
import { mendable, StoreError } from './errors.ts';
import type { Files } from './files.ts';
import { attemptFiles } from './layout.ts';
import { damage, makeManifest } from './manifest.ts';
import { temporaryIn } from './names.ts';
import { listNumbers } from './read.ts';
import type { ResumedFrom } from './records.ts';
import { folderBytes } from './size.ts';

/** The newest, and the one before it in case the newest is found damaged. */
const KEPT = 2;
/** Those kept, and the one being written. */
export const CHECKPOINTS_AT_ONCE = KEPT + 1;

/** Share of the time of a stage that its checkpoints may take, where one takes longer than a moment: those of a large model have gigabytes. */
const SHARE = 0.05;
const MOMENT_MS = 1000;

export interface CheckpointFolders {
  readonly attempt: number;
  /** Folder of an attempt of this stage. */
  dirOf(attempt: number): string;
  /** Numbers of the stage's attempts. */
  attempts(): number[];
}

export interface CheckpointOptions {
  /** Milliseconds between periodic checkpoints, at least; more where they would take too much of the time. */
  readonly every: number;
  /** Told about a damaged checkpoint that was passed over. */
  readonly warn: (message: string) => void;
  /** Called before a checkpoint counts: what was recorded up to its step must be durable first. */
  readonly flush: () => void;
}

export class AttemptCheckpoints implements Checkpoints {
  readonly #files: Files;
  readonly #folders: CheckpointFolders;
  readonly #options: CheckpointOptions;
  #last = performance.now();
  /** Milliseconds from one to the next. */
  #interval: number;
  #asked = false;

  constructor(files: Files, folders: CheckpointFolders, options: CheckpointOptions) {
    this.#files = files;
    this.#folders = folders;
    this.#options = options;
    this.#interval = options.every;
  }

  async latest(): Promise<Checkpoint | undefined> {
    for (const { attempt, step } of this.#candidates()) {
      const dir = beneath(this.#folder(attempt), String(step));
      const problem = await checkpointDamage(dir);
      if (problem === undefined) {
        this.#record({ attempt, step });
        return { step, dir };
      }
      this.#options.warn(`Checkpoint of step ${step} (attempt ${attempt}) is damaged and is passed over: ${problem}`);
    }
    this.#record(null);
    return undefined;
  }

  due(): boolean {
    return performance.now() - this.#last >= this.#interval;
  }

  async save(step: number, write: (dir: string) => Promise<void>): Promise<void> {
    const began = performance.now();
    const folder = this.#folder(this.#folders.attempt);
    const temporary = temporaryIn(folder);
    this.#files.makeFolder(temporary);
    try {
      await write(temporary);
      this.#files.write(join(temporary, attemptFiles.manifest), `${canonicalJson(await makeManifest(temporary))}\n`);
      this.#files.syncTree(temporary);
    } catch (error) {
      // Of a checkpoint cut short, the one before tells the size.
      const bytes = Math.max(folderBytes(temporary), ...listNumbers(folder).map(kept => folderBytes(join(folder, String(kept)))));
      this.#files.remove(temporary);
      throw mendable(error, folder, bytes, true);
    }
    this.#options.flush();
    // The same step again is the same checkpoint: the first one stays.
    if (!this.#files.publishFolder(temporary, join(folder, String(step)))) this.#files.remove(temporary);
    for (const old of listNumbers(folder).slice(0, -KEPT)) this.#files.remove(join(folder, String(old)));
    this.#last = performance.now();
    const took = this.#last - began;
    this.#interval = took < MOMENT_MS ? this.#options.every : Math.max(this.#options.every, took / SHARE);
  }

  /** Furthest first; of equal steps the one of the newest attempt. */
  #candidates(): { attempt: number; step: number }[] {
    return this.#folders
      .attempts()
      .filter(attempt => attempt <= this.#folders.attempt)
      .flatMap(attempt => listNumbers(this.#folder(attempt)).map(step => ({ attempt, step })))
      .sort((a, b) => b.step - a.step || b.attempt - a.attempt);
  }

  #folder(attempt: number): string {
    return join(this.#folders.dirOf(attempt), attemptFiles.checkpoints);
  }

  /** Curves are stitched by the first answer: where this attempt began. */
  #record(from: ResumedFrom): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#files.write(join(this.#folders.dirOf(this.#folders.attempt), attemptFiles.resumed), `${canonicalJson({ from })}\n`);
  }
}

async function checkpointDamage(dir: string): Promise<string | undefined> {
  try {
    return await damage(dir);
  } catch (error) {
    if (error instanceof StoreError) return error.message;
    throw error;
  }
}
