/** Reads a store. Says only what is so: a stage is done when its link is there and what it points to is whole. */
import { readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../ablation/identity.ts';
import type { MetricRecord, StageResult } from '../ablation/kind.ts';
import { stitch } from './curve.ts';
import { hasCode, StoreError, unlessDamaged } from './errors.ts';
import { attemptFiles, layout } from './layout.ts';
import { fileDamage, readManifest, sizeDamage } from './manifest.ts';
import { isOwnerAlive, type Owner } from './owner.ts';
import { isNumberName, listFolder, listNumbers, readParsed, readTornLines } from './read.ts';
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

/** An attempt on another host, or of a stopped process, counts as alive until its heartbeat has stood still this long by our own clock. */
export const LEASE_MS = 30_000;

export class StoreReader {
  readonly dir: string;
  readonly #lease: number;
  /** Last change of foreign heartbeats: what it was, and when (our monotonic clock) we first saw it so. */
  readonly #heartbeats = new Map<string, { readonly time: number; readonly seen: number }>();

  /** @param lease milliseconds, see `StoreOptions` */
  constructor(dir: string, lease = LEASE_MS) {
    this.dir = dir;
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
    return layout.stage(this.dir, key);
  }

  /** Numbers of the stage's attempts, ascending. */
  attempts(key: string): number[] {
    return listNumbers(layout.attempts(this.stageDir(key)));
  }

  attemptDir(key: string, attempt: number): string {
    return layout.attempt(this.stageDir(key), attempt);
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

  state(key: string): StageState {
    const done = this.doneAttempt(key);
    if (done !== undefined) return { state: 'done', attempt: done };
    const attempts = this.attempts(key).reverse();
    const newest = attempts[0];
    if (newest === undefined) return { state: 'absent' };
    for (const attempt of attempts) {
      const owner = this.#liveOwner(key, attempt);
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

  /** The attempt that counts; undefined when there is none or what the link points to is not whole. */
  doneAttempt(key: string): number | undefined {
    const attempt = this.linkedAttempt(key);
    return attempt !== undefined && this.incomplete(key, attempt) === undefined ? attempt : undefined;
  }

  /** Where the link `done` points to, whole or not. */
  linkedAttempt(key: string): number | undefined {
    try {
      const [, number = ''] = /^attempts\/(\d+)$/.exec(readlinkSync(layout.done(this.stageDir(key)))) ?? [];
      return isNumberName(number) ? Number(number) : undefined;
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'EINVAL', 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  /** Why an attempt cannot count (no result or a changed one, output files missing or of another size), or undefined when it can. */
  incomplete(key: string, attempt: number): string | undefined {
    const dir = this.attemptDir(key, attempt);
    try {
      if (!readParsed(resultFile, join(dir, attemptFiles.result))) return 'no result.json';
      const manifest = readManifest(join(dir, attemptFiles.manifest));
      return manifest ? (sizeDamage(dir, manifest) ?? fileDamage(dir, attemptFiles.result, manifest)) : 'no manifest.json';
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

  /** Folder of the final files of a stage that is done. */
  output(key: string): string | undefined {
    const attempt = this.doneAttempt(key);
    return attempt === undefined ? undefined : join(this.attemptDir(key, attempt), attemptFiles.output);
  }

  /** The furthest checkpoint of any attempt, as the next attempt will find it unless it is damaged. */
  furthestCheckpoint(key: string): { attempt: number; step: number } | undefined {
    return this.attempts(key)
      .flatMap(attempt => listNumbers(join(this.attemptDir(key, attempt), attemptFiles.checkpoints)).map(step => ({ attempt, step })))
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
  sweeps(warn: (message: string) => void = () => undefined): SweepRecord[] {
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
    const time = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const known = this.#heartbeats.get(path);
    const now = performance.now();
    if (known?.time !== time) this.#heartbeats.set(path, { time, seen: now });
    return known?.time !== time || now - known.seen < this.#lease;
  }
}

/** A damaged file names nobody: a lease must never need a person to lift it. */
function ownerIn(path: string): Owner | undefined {
  return unlessDamaged(() => readParsed(workerFile, path))?.owner;
}
