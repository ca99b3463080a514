/**
 * The folder in which a program leaves its checkpoints: an entry whose name begins with a number of steps (`120`, `120.pt`) is whole. A program writes
 * under another name and renames, so that one cut short is never taken for a checkpoint. What is whole is moved into the store.
 */
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../ablation/errors.ts';
import type { Checkpoints } from '../ablation/kind.ts';

const WHOLE = /^(0|[1-9]\d{0,14})(?:\.[\w.-]+)?$/;

export class CheckpointFolder {
  readonly path: string;
  readonly #checkpoints: Checkpoints;
  /** The newest in the store. */
  #newest: Entry | undefined;

  constructor(path: string, checkpoints: Checkpoints) {
    this.path = path;
    this.#checkpoints = checkpoints;
  }

  /** Steps of the newest whole checkpoint. */
  get step(): number | undefined {
    return this.#newest?.step;
  }

  /** Makes the folder, with the newest checkpoint of earlier attempts in it. @returns its path, where there is one */
  async open(): Promise<string | undefined> {
    await mkdir(this.path, { recursive: true });
    const found = await this.#checkpoints.latest();
    if (found === undefined) return undefined;
    this.#newest = (await entriesOf(found.dir))[0];
    if (this.#newest === undefined) throw new PermanentError('BAD_CHECKPOINT', `${found.dir}: expected a checkpoint of a program, whose name begins with its steps, got none`);
    const path = join(this.path, this.#newest.name);
    // A copy: the program may write into it.
    await cp(join(found.dir, this.#newest.name), path, { recursive: true });
    return path;
  }

  /**
   * Moves the furthest checkpoint that is new into the store, and removes those that it has overtaken.
   * @param record called before it counts
   * @throws PermanentError `BAD_CHECKPOINT` for two of one step
   */
  async take(record: () => void): Promise<void> {
    const entries = await entriesOf(this.path);
    const newest = entries[0];
    const twin = entries.find(({ name, step }, i) => step === entries[i - 1]?.step || (step === this.#newest?.step && name !== this.#newest.name));
    if (twin !== undefined)
      throw new PermanentError(
        'BAD_CHECKPOINT',
        `Checkpoints: expected one file or folder for each step, got another one of step ${twin.step} (${twin.name}); put the files of a step into a folder ${twin.step}`,
      );
    if (newest === undefined || newest.step <= (this.#newest?.step ?? -1)) return;
    record();
    await this.#checkpoints.save(newest.step, dir => rename(join(this.path, newest.name), join(dir, newest.name)));
    this.#newest = newest;
    for (const { name } of entries.slice(1)) await rm(join(this.path, name), { recursive: true, force: true });
  }
}

interface Entry {
  readonly name: string;
  readonly step: number;
}

/** Those that are whole, the furthest first. */
async function entriesOf(folder: string): Promise<Entry[]> {
  const entries = (await readdir(folder)).flatMap(name => {
    const step = WHOLE.exec(name)?.[1];
    return step === undefined ? [] : [{ name, step: Number(step) }];
  });
  return entries.sort((a, b) => b.step - a.step);
}
