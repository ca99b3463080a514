/** Reads a store. Says only what is so: a stage is done when its commit is there and the attempt that it names is whole. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../ablation/identity.ts';
import type { MetricRecord, StageResult } from '../ablation/kind.ts';
import { entryBeneath } from '../disk/beneath.ts';
import { readCommit } from './commit.ts';
import { stitch } from './curve.ts';
import { StoreError, unlessDamaged } from './errors.ts';
import { attemptFiles, COMMITTED, layout } from './layout.ts';
import { MOST_ITEM_BYTES, unpackItems } from './items.ts';
import { damage, fileDamage, readManifest, sizeDamage, type Manifest } from './manifest.ts';
import { isOwnerAlive, type Owner } from './owner.ts';
import { changeTime, listFolder, listNumbers, readBytesIfPresent, readParsed, readTornLines, reopen } from './read.ts';
import { readSweeps, type SweepRecord } from './sweeps.ts';
import { attemptFile, isKeyName, provenanceFile, resultFile, stageFile, stateLine, workerFile, type AttemptRecord, type StageRecord, type StateLine } from './records.ts';

export interface AttemptFailure {
  readonly code: string;
  readonly reason: string;
  /** Trying again cannot mend it. */
  readonly permanent: boolean;
}

export type StageState =
  /** Never attempted, or not known. */
  | { readonly state: 'absent' }
  /** `stalled`: its worker has been silent for long, as the text says. */
  | { readonly state: 'running'; readonly attempt: number; readonly owner: Owner; readonly stalled?: string }
  /** Its process ended without a result; the next attempt goes on from the last checkpoint. */
  | { readonly state: 'interrupted'; readonly attempt: number }
  | ({ readonly state: 'failed'; readonly attempt: number } & AttemptFailure)
  | { readonly state: 'done'; readonly attempt: number };

/** An attempt of a process that cannot be seen from here (of another host or container), or is stopped, counts as alive until its heartbeat has stood still this long by our own clock. */
export const LEASE_MS = 30_000;

export interface ReadOptions {
  /** Milliseconds that the heartbeat of an attempt may stand still where nothing else tells that its process lives (default 30 s). */
  readonly lease?: number;
  /** Told what was found and passed over, or read as it was meant. */
  readonly warn?: (message: string) => void;
}

/** Every method throws UnsafePathError where a link leads out of the folder that it reads: the store may be somebody else's work. */
export class StoreReader {
  readonly dir: string;
  protected readonly warn: (message: string) => void;
  readonly #lease: number;
  /** Folders on whose way there is no link. Looked at once: what changes meanwhile is not kept out. */
  readonly #own = new Set<string>();
  #saidCopied = false;
  /** Last change of foreign heartbeats: what it was, and when (our monotonic clock) we first saw it so, and last looked. */
  readonly #heartbeats = new Map<string, { readonly time: number; readonly seen: number; readonly looked: number }>();

  constructor(dir: string, { lease = LEASE_MS, warn = () => undefined }: ReadOptions = {}) {
    this.dir = dir;
    this.warn = warn;
    this.#lease = lease;
  }

  /** Keys of all stages, sorted. */
  keys(): string[] {
    return listFolder(layout.stages(this.dir)).filter(isKeyName);
  }

  /** Undefined when it is not known. @throws StoreError when its file is damaged: the key vouches for the identity */
  stage(key: string): StageRecord | undefined {
    const file = readParsed(stageFile, layout.identity(this.stageDir(key)));
    if (file && keyOf(file.identity) !== key) throw new StoreError('STORE_DAMAGED', `${layout.identity(this.stageDir(key))}: expected the identity whose hash is the key, got another`);
    return file && { key, label: file.label, ...file.identity };
  }

  /** @throws StoreError for what cannot be a key: it may come from a damaged file, and lead out of the store */
  stageDir(key: string): string {
    if (!isKeyName(key)) throw new StoreError('STORE_DAMAGED', `Expected the key of a stage, got ${JSON.stringify(key.slice(0, 80))}`);
    return this.#ownFolder(layout.stage(this.dir, key), 'stages', key);
  }

  /** Numbers of the stage's attempts, ascending. */
  attempts(key: string): number[] {
    const stage = this.stageDir(key);
    return this.#own.has(stage) ? listNumbers(layout.attempts(stage)) : [];
  }

  attemptDir(key: string, attempt: number): string {
    const stage = this.stageDir(key);
    return this.#ownFolder(layout.attempt(stage, attempt), 'stages', key, 'attempts', String(attempt));
  }

  #ownFolder(path: string, ...parts: readonly string[]): string {
    if (!this.#own.has(path) && entryBeneath(this.dir, ...parts)) this.#own.add(path);
    return path;
  }

  attempt(key: string, attempt: number): AttemptRecord | undefined {
    return readParsed(attemptFile, join(this.attemptDir(key, attempt), attemptFiles.owner));
  }

  logFile(key: string, attempt: number): string {
    return join(this.attemptDir(key, attempt), attemptFiles.log);
  }

  /** State changes of an attempt, oldest first. */
  states(key: string, attempt: number): StateLine[] {
    return readTornLines(join(this.attemptDir(key, attempt), attemptFiles.states)).flatMap(line => {
      const state = stateLine.safeParse(line);
      return state.success ? [state.data] : [];
    });
  }

  /** Before a look at the state that is to be no older than now, where others change it on other hosts. */
  lookAgain(key: string): void {
    for (const folder of [this.stageDir(key), layout.attempts(this.stageDir(key))]) reopen(folder);
  }

  state(key: string): StageState {
    // Most of those that a runner waits for are absent, and it looks at all of them every few seconds.
    const attempts = this.attempts(key).reverse();
    const newest = attempts[0];
    if (newest === undefined) return { state: 'absent' };
    const done = this.doneAttempt(key);
    if (done !== undefined) return { state: 'done', attempt: done };
    // All are looked at each time: the heartbeats of several that a crash left behind are watched side by side, not one after the other.
    const owners = attempts.map(attempt => ({ attempt, owner: this.#liveOwner(key, attempt) }));
    for (const { attempt, owner } of owners) {
      if (!owner) continue;
      const stalled = this.states(key, attempt).at(-1)?.stalled;
      return { state: 'running', attempt, owner, ...(stalled !== undefined && { stalled }) };
    }
    // Whoever worked on it may have committed and left since we looked.
    const meanwhile = this.doneAttempt(key);
    if (meanwhile !== undefined) return { state: 'done', attempt: meanwhile };
    const failure = this.failure(key, newest);
    return failure ? { state: 'failed', attempt: newest, ...failure } : { state: 'interrupted', attempt: newest };
  }

  /** Why an attempt failed; undefined when it did not. */
  failure(key: string, attempt: number): AttemptFailure | undefined {
    const last = this.states(key, attempt).at(-1);
    return last?.state === 'failed' ? { code: last.code ?? 'UNKNOWN', reason: last.reason ?? 'no reason recorded', permanent: last.permanent === true } : undefined;
  }

  /** The attempt that counts; undefined when there is none or what the commit names is not whole. */
  doneAttempt(key: string): number | undefined {
    const attempt = this.committedAttempt(key);
    return attempt !== undefined && this.incomplete(key, attempt) === undefined ? attempt : undefined;
  }

  /** What is wrong with the attempt that is to count; undefined where it is whole, or there is none. */
  damage(key: string): string | undefined {
    const attempt = this.committedAttempt(key);
    return attempt === undefined ? undefined : this.incomplete(key, attempt);
  }

  /** What the stage's commit names, whole or not. */
  committedAttempt(key: string): number | undefined {
    const commit = readCommit(
      this.stageDir(key),
      () => this.attempts(key),
      attempt => this.attemptDir(key, attempt),
    );
    if (commit?.copied === true) this.#sayCopied(key);
    return commit?.attempt;
  }

  #sayCopied(key: string): void {
    if (this.#saidCopied) return;
    this.#saidCopied = true;
    this.warn(`${layout.done(this.stageDir(key))} was a link and has become a copy, as where a copy of the store follows links. Such stages count as done.`);
  }

  /** Why an attempt cannot count (no result or a changed one, output files missing or of another size), or undefined when it can. */
  incomplete(key: string, attempt: number): string | undefined {
    const dir = this.attemptDir(key, attempt);
    try {
      if (!readParsed(resultFile, join(dir, attemptFiles.result))) return 'no result.json';
      const manifest = readManifest(join(dir, attemptFiles.manifest));
      if (!manifest) return 'no manifest.json';
      return sizeDamage(dir, manifest) ?? fileDamage(dir, attemptFiles.result, manifest) ?? itemsDamage(dir, manifest);
    } catch (error) {
      if (error instanceof StoreError) return error.message;
      throw error;
    }
  }

  /** The numbers of a stage that is done. */
  result(key: string): StageResult | undefined {
    const attempt = this.doneAttempt(key);
    return attempt === undefined ? undefined : readParsed(resultFile, join(this.attemptDir(key, attempt), attemptFiles.result));
  }

  /** Of the file with the numbers of an attempt that is whole. */
  resultSha256(key: string, attempt: number): string {
    return createHash('sha256')
      .update(readFileSync(join(this.attemptDir(key, attempt), attemptFiles.result)))
      .digest('hex');
  }

  /** Which items an attempt that is whole found right, as `items.bin` has them; undefined where it left none. */
  itemBytes(key: string, attempt: number): Uint8Array | undefined {
    const dir = this.attemptDir(key, attempt);
    const manifest = readManifest(join(dir, attemptFiles.manifest));
    return manifest && leftItems(manifest) ? readBytesIfPresent(join(dir, attemptFiles.items), MOST_ITEM_BYTES) : undefined;
  }

  /** Of each item that a stage tested whether it was right; undefined where it is not done or left none. */
  items(key: string): boolean[] | undefined {
    const attempt = this.doneAttempt(key);
    const bytes = attempt === undefined ? undefined : this.itemBytes(key, attempt);
    return bytes && unpackItems(bytes);
  }

  /** Folder of the final files of a stage that is done. */
  output(key: string): string | undefined {
    const attempt = this.doneAttempt(key);
    return attempt === undefined ? undefined : join(this.attemptDir(key, attempt), attemptFiles.output);
  }

  /** What makes the files of an attempt differ from their checksums, of which other readers look at sizes alone; undefined when nothing does. */
  damageOf(key: string, attempt: number): Promise<string | undefined> {
    return damage(this.attemptDir(key, attempt), COMMITTED);
  }

  /** Steps of the checkpoints that an attempt left, ascending. */
  checkpointSteps(key: string, attempt: number): number[] {
    return listNumbers(join(this.attemptDir(key, attempt), attemptFiles.checkpoints));
  }

  /** The furthest checkpoint of any attempt, as the next attempt will find it unless it is damaged. */
  furthestCheckpoint(key: string): { attempt: number; step: number } | undefined {
    return this.attempts(key)
      .flatMap(attempt => this.checkpointSteps(key, attempt).map(step => ({ attempt, step })))
      .reduce<{ attempt: number; step: number } | undefined>((best, c) => (best === undefined || c.step >= best.step ? c : best), undefined);
  }

  /** Metrics of the attempt that counts (else of the newest), stitched to those it resumed from: no step twice. */
  curve(key: string): MetricRecord[] {
    const attempt = this.doneAttempt(key) ?? this.attempts(key).at(-1);
    return attempt === undefined ? [] : stitch(n => this.attemptDir(key, n), attempt);
  }

  /** Of the attempt that counts, else of the newest: times, host, versions. Never part of a result. */
  provenance(key: string): Record<string, unknown> | undefined {
    const attempt = this.doneAttempt(key) ?? this.attempts(key).at(-1);
    return attempt === undefined ? undefined : readParsed(provenanceFile, join(this.attemptDir(key, attempt), attemptFiles.provenance));
  }

  /** What sweeps set out to do, newest first. Advisory; damaged records are told to `warn` and passed over. */
  sweeps(warn = this.warn): SweepRecord[] {
    return readSweeps(this.dir, warn);
  }

  /** The process that works on the attempt: its worker, or the runner that is about to start or reap one. */
  #liveOwner(key: string, attempt: number): Owner | undefined {
    const last = this.states(key, attempt).at(-1);
    if (last && last.state !== 'running') return undefined;
    const dir = this.attemptDir(key, attempt);
    const owners = [attemptFiles.worker, attemptFiles.owner].map(file => ownerIn(join(dir, file)));
    return owners.find(owner => owner !== undefined && (isOwnerAlive(owner) ?? this.#hasFreshHeartbeat(dir)));
  }

  #hasFreshHeartbeat(dir: string): boolean {
    const path = join(dir, attemptFiles.heartbeat);
    const time = changeTime(path) ?? 0;
    const known = this.#heartbeats.get(path);
    const now = performance.now();
    // Who has not looked for so long has perhaps waited for the disk itself, as the other then did: it is given time to show that it lives.
    const isNew = known?.time !== time || now - known.looked >= this.#lease;
    const seen = isNew ? now : known.seen;
    this.#heartbeats.set(path, { time, seen, looked: now });
    return now - seen < this.#lease;
  }
}

const leftItems = ({ files }: Manifest): boolean => Object.hasOwn(files, attemptFiles.items);

/** Stages that test nothing leave none, and neither did older versions. */
function itemsDamage(dir: string, manifest: Manifest): string | undefined {
  if (!leftItems(manifest)) return undefined;
  return fileDamage(dir, attemptFiles.items, manifest, MOST_ITEM_BYTES);
}

/** A damaged file names nobody: a lease must never need a person to lift it. */
function ownerIn(path: string): Owner | undefined {
  return unlessDamaged(() => readParsed(workerFile, path))?.owner;
}
