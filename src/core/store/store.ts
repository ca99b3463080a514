/** The run directory: one folder a stage, one folder an attempt, one commit that says which attempt counts. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityText } from '../ablation/identity.ts';
import { canonicalJson } from '../ablation/json.ts';
import type { StageIdentity } from '../ablation/kind.ts';
import { lstatIfThere } from '../disk/beneath.ts';
import { Attempt } from './attempt.ts';
import { hasCode, StoreError, unlessDamaged } from './errors.ts';
import { filesWithin, nodeFiles, type Files } from './files.ts';
import { attemptFiles, layout, STORE_FORMAT } from './layout.ts';
import { leftovers } from './leftovers.ts';
import { isTemporary, temporaryIn } from './names.ts';
import { isOwnerAlive, ownerOf } from './owner.ts';
import { namesIn, readObject } from './read.ts';
import type { AttemptShare, StageRecord } from './records.ts';
import { StoreReader, type ReadOptions, type StageState } from './reader.ts';
import { requireFitDisk } from './requirements.ts';
import { saysNew, sweepPath, type SweptPlan } from './sweeps.ts';

export interface StoreOptions extends ReadOptions {
  readonly files?: Files;
}

export type Acquired =
  | { readonly type: 'acquired'; readonly attempt: Attempt }
  /** Done already, or another live process works on it. */
  | { readonly type: 'taken'; readonly state: StageState & { readonly state: 'done' | 'running' } };

export class Store extends StoreReader {
  readonly #files: Files;

  /** @param dir absolute path of a store that `openStore` has opened, in this process or the one that started it */
  constructor(dir: string, { files = nodeFiles, ...options }: StoreOptions = {}) {
    super(dir, options);
    this.#files = filesWithin(dir, files);
  }

  /** Enters a stage. @throws StoreError when the store knows the key with another identity */
  ensureStage(key: string, identity: StageIdentity, label: string): void {
    const text = identityText(identity);
    const known = this.#knownStage(key);
    if (known) {
      if (identityText(known) !== text) throw new StoreError('STORE_CONFLICT', `${layout.identity(this.stageDir(key))}: expected ${text}, got ${identityText(known)}`);
      return;
    }
    this.#files.makeFolder(layout.attempts(this.stageDir(key)));
    this.#files.write(layout.identity(this.stageDir(key)), `${JSON.stringify({ label, identity: JSON.parse(text) as unknown }, null, 2)}\n`);
  }

  /** Remembers what a sweep sets out to do, unless the newest records say the same. @returns whether it was written */
  recordSweep(plan: SweptPlan): boolean {
    const record = { time: new Date().toISOString(), ...plan };
    if (!saysNew(record, this.sweeps())) return false;
    this.#files.makeFolder(layout.sweeps(this.dir));
    this.#files.write(sweepPath(this.dir, record), `${canonicalJson(record)}\n`);
    return true;
  }

  /** A damaged `stage.json` is written anew: the key vouches for the identity. */
  #knownStage(key: string): StageRecord | undefined {
    try {
      return this.stage(key);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.warn(`${error.message}; written anew`);
      return undefined;
    }
  }

  /**
   * Takes the lease of a stage by making its next attempt. Only one process can: the number is the fencing token.
   * @param place where the attempt is to run, for people
   * @param share recorded with it, where several workers share the plan
   */
  async acquire(key: string, place: string, share?: AttemptShare): Promise<Acquired> {
    for (let tries = 1; ; tries++) {
      const known = this.#taken(key);
      if (known) return known;
      // The number before the state: an attempt that appears after it has this number, and ours then fails.
      this.#files.askAnew(layout.attempts(this.stageDir(key)));
      const number = (this.attempts(key).at(-1) ?? 0) + 1;
      const taken = this.#taken(key);
      if (taken) return taken;
      this.#withdraw(key);
      if (!(await this.#adopt(key)) && this.#makeAttempt(key, number, place, share)) {
        if (this.committedAttempt(key) === undefined) return { type: 'acquired', attempt: new Attempt(this.#files, this, key, number) };
        // Committed between our look and our attempt, by a writer that had been taken for dead.
        this.#files.remove(this.attemptDir(key, number));
      }
      // Somebody else changes the stage: shown here at once, or a little later.
      await sleep(Math.min(tries * AGAIN_MS, MOST_AGAIN_MS));
    }
  }

  #taken(key: string): (Acquired & { readonly type: 'taken' }) | undefined {
    const state = this.state(key);
    return state.state === 'done' || state.state === 'running' ? { type: 'taken', state } : undefined;
  }

  /**
   * Compares what a done stage left with its checksums (readers look at sizes only). One found damaged no longer counts.
   * @returns whether the stage is done
   */
  async verify(key: string): Promise<boolean> {
    if (this.doneAttempt(key) === undefined) this.#withdraw(key); // of what is not whole, or a writer that is late could not commit
    const attempt = this.doneAttempt(key);
    if (attempt === undefined) return false;
    const broken = await this.damageOf(key, attempt);
    if (broken !== undefined) this.#uncount(key, attempt, broken);
    return broken === undefined;
  }

  /** For a worker: the attempt that its runner acquired. */
  attemptOf(key: string, number: number): Attempt {
    if (!this.attempt(key, number)) throw new StoreError('STORE_DAMAGED', `${this.attemptDir(key, number)}: expected an attempt, got none`);
    return new Attempt(this.#files, this, key, number);
  }

  /** Removes what processes that are gone left half made, anywhere in the store. A store that takes no change keeps it, and says so. */
  clearLeftovers(): void {
    try {
      for (const path of leftovers(this, () => this.#diskTime())) this.#files.remove(path);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.warn(`${error.message} What killed processes left half made stays there.`);
    }
  }

  /** Removes what a done stage needs no longer: checkpoints, and what killed processes left half removed or half written. */
  tidy(key: string): void {
    const done = this.doneAttempt(key);
    if (done === undefined) return;
    for (const attempt of this.attempts(key)) {
      const dir = this.attemptDir(key, attempt);
      if (attempt !== done && this.#mayLive(key, attempt)) continue;
      this.#files.remove(join(dir, attemptFiles.checkpoints));
      for (const name of namesIn(dir).filter(isTemporary)) this.#files.remove(join(dir, name));
    }
  }

  /** Of a file made just now. */
  #diskTime(): number {
    const path = temporaryIn(this.dir);
    this.#files.touch(path);
    const time = statSync(path).mtimeMs;
    this.#files.remove(path);
    return time;
  }

  /** The attempt appears with its owner in it, so that nobody ever sees one without. It comes out of the folder of the stage, so that what is said of a commit there is new, too. */
  #makeAttempt(key: string, number: number, place: string, share: AttemptShare | undefined): boolean {
    const temporary = temporaryIn(this.stageDir(key));
    this.#files.makeFolder(layout.attempts(this.stageDir(key)));
    this.#files.makeFolder(join(temporary, attemptFiles.checkpoints));
    this.#files.makeFolder(join(temporary, attemptFiles.output));
    const record = { owner: ownerOf(process.pid), created: new Date().toISOString(), place, ...(share && { share }) };
    this.#files.write(join(temporary, attemptFiles.owner), `${canonicalJson(record)}\n`);
    this.#files.touch(join(temporary, attemptFiles.heartbeat));
    const made = this.#files.publishFolder(temporary, this.attemptDir(key, number));
    if (!made) this.#files.remove(temporary);
    return made;
  }

  /** Commits an attempt that was killed after its result and before it counted. */
  async #adopt(key: string): Promise<boolean> {
    for (const attempt of this.attempts(key)) {
      this.#files.askAnew(this.attemptDir(key, attempt));
      if (this.incomplete(key, attempt) !== undefined) continue;
      if ((await this.damageOf(key, attempt)) === undefined) {
        new Attempt(this.#files, this, key, attempt).claimStage();
        return true;
      }
    }
    return false;
  }

  /** A commit of something not whole, or anything else in its place, counts for nothing and would bar every later one. */
  #withdraw(key: string): void {
    if (this.doneAttempt(key) !== undefined) return;
    this.#files.askAnew(this.stageDir(key));
    const attempt = this.committedAttempt(key);
    if (attempt !== undefined) {
      this.#files.askAnew(this.attemptDir(key, attempt));
      const broken = this.incomplete(key, attempt);
      if (broken !== undefined) this.#uncount(key, attempt, broken);
      return;
    }
    const done = layout.done(this.stageDir(key));
    // Asked again: somebody may have committed since.
    if (!lstatIfThere(done) || this.committedAttempt(key) !== undefined) return;
    this.warn(`${done}: expected the commit of an attempt, got something else; removed`);
    this.#files.remove(done);
  }

  #uncount(key: string, attempt: number, broken: string): void {
    this.warn(`Stage ${key}: attempt ${attempt} had been committed but is damaged and no longer counts: ${broken}`);
    this.#files.remove(layout.done(this.stageDir(key)));
  }

  #mayLive(key: string, attempt: number): boolean {
    const owner = unlessDamaged(() => this.attempt(key, attempt))?.owner;
    return owner !== undefined && this.states(key, attempt).at(-1)?.state === 'running' && isOwnerAlive(owner) !== false;
  }
}

/**
 * Opens the store for writing and makes it when it is not there.
 * @throws StoreError when the folder holds something else, or a store of a newer format, or its disk cannot hold a store
 */
export function openStore(dir: string, options: StoreOptions = {}): Store {
  const { files = nodeFiles } = options;
  const path = resolve(dir);
  if (existsSync(layout.format(path))) {
    const format = checkFormat(path);
    requireFitDisk(path);
    if (format < STORE_FORMAT) raiseFormat(path, files);
  } else {
    files.makeFolder(path);
    const others = namesBesideStore(path);
    // Listed, though it was not there: somebody has just made the store.
    const isMade = others.includes(basename(layout.format(path)));
    if (others.length > 0 && !isMade) {
      throw new StoreError('NOT_A_STORE', `Expected a store or an empty folder, got ${path} with ${others.slice(0, 3).join(', ')}; choose another --store`);
    }
    requireFitDisk(path);
    if (isMade) files.askAnew(path);
    else makeStore(path, filesWithin(path, files));
    checkFormat(path);
  }
  return new Store(path, options);
}

function makeStore(path: string, within: Files): void {
  within.makeFolder(layout.stages(path));
  within.write(layout.format(path), FORMAT_TEXT);
}

/** Milliseconds until a lease is tried for again, times the tries so far, and at most. */
const AGAIN_MS = 10,
  MOST_AGAIN_MS = 1_000;

/** What is not ours in a folder that has no `store.json` (yet: it comes last). */
const namesBesideStore = (path: string): string[] => readdirSync(path).filter(name => !isTemporary(name) && name !== 'stages');

const FORMAT_TEXT = `${canonicalJson({ format: STORE_FORMAT })}\n`;

/** Before a commit is made that an older version would not find. Where nothing can be written there will be none. */
function raiseFormat(path: string, files: Files): void {
  try {
    filesWithin(path, files).write(layout.format(path), FORMAT_TEXT);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

/** Opens an existing store; the result has no way to change it. */
export function openStoreReadOnly(dir: string, options: ReadOptions = {}): StoreReader {
  const path = resolve(dir);
  checkFormat(path);
  return new StoreReader(path, options);
}

/** As `openStoreReadOnly`; undefined where there is no store yet, also while a sweep is just making it. */
export function openStoreIfThere(dir: string, options: ReadOptions = {}): StoreReader | undefined {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found === undefined || (found.isDirectory() && !existsSync(layout.format(dir)) && namesBesideStore(dir).length === 0)) return undefined;
  return openStoreReadOnly(dir, options);
}

/** @returns its number */
function checkFormat(path: string): number {
  const file = layout.format(path);
  const format = formatOf(path)?.['format'];
  if (typeof format !== 'number' || !(format >= 0)) throw new StoreError('STORE_DAMAGED', `${file}: expected {"format": ${STORE_FORMAT}}, got no format`);
  if (format > STORE_FORMAT) {
    throw new StoreError(
      'STORE_NEWER',
      `${path} was written by a newer version of this program (store format ${format}; this one reads up to ${STORE_FORMAT}); update the program or choose another --store`,
    );
  }
  return format;
}

function formatOf(path: string): Record<string, unknown> | undefined {
  try {
    if (!statSync(path).isDirectory()) throw new StoreError('NOT_A_STORE', `Expected a store, got the file ${path}; choose another --store`);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) throw new StoreError('STORE_MISSING', `Expected a store at ${path}, got no such folder; run 'ablate sweep' first or choose another --store`);
    throw error;
  }
  const value = readObject(layout.format(path));
  if (!value) throw new StoreError('NOT_A_STORE', `Expected a store at ${path}, got a folder without store.json; run 'ablate sweep' first or choose another --store`);
  return value;
}
