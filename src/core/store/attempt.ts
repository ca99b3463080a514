/** One execution of a stage. It writes nowhere but in its own folder, except for the commit. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '../ablation/json.ts';
import type { JsonObject, MetricRecord, Progress, StageResult } from '../ablation/kind.ts';
import { AttemptCheckpoints, type CheckpointOptions } from './checkpoints.ts';
import { writeCommit } from './commit.ts';
import type { Appender, Files } from './files.ts';
import { packItems } from './items.ts';
import { attemptFiles, COMMITTED } from './layout.ts';
import { makeManifest } from './manifest.ts';
import { temporaryIn } from './names.ts';
import { ownerOf } from './owner.ts';
import { ProgressLog } from './progress.ts';
import type { StoreReader } from './reader.ts';
import type { StateLine } from './records.ts';

export class Attempt {
  readonly key: string;
  readonly number: number;
  readonly dir: string;
  readonly #files: Files;
  readonly #reader: StoreReader;
  readonly #progress: ProgressLog;
  #metrics: Appender | undefined;
  #log: Appender | undefined;
  #items: readonly boolean[] | undefined;
  #scratch: string | undefined;

  /** Made by `Store.acquire` and `Store.attemptOf`. */
  constructor(files: Files, reader: StoreReader, key: string, number: number) {
    this.#files = files;
    this.#reader = reader;
    this.key = key;
    this.number = number;
    this.dir = reader.attemptDir(key, number);
    this.#progress = new ProgressLog(() => files.openAppend(join(this.dir, attemptFiles.progress)));
  }

  get logFile(): string {
    return join(this.dir, attemptFiles.log);
  }

  /** Empty at the start; holds the files for the stages downstream. */
  get output(): string {
    return join(this.dir, attemptFiles.output);
  }

  /** Not made yet. Bears the name of a temporary, so that what a kill leaves is removed. */
  get scratch(): string {
    return (this.#scratch ??= temporaryIn(this.dir));
  }

  clearScratch(): void {
    if (this.#scratch !== undefined) this.#files.remove(this.#scratch);
  }

  /** Says that the calling process is the worker of this attempt. */
  claim(): void {
    this.#files.write(join(this.dir, attemptFiles.worker), `${canonicalJson({ owner: ownerOf(process.pid) })}\n`);
    this.record({ state: 'running' });
  }

  /** Shows readers on other hosts that the lease is held. */
  heartbeat(): void {
    this.#files.touch(join(this.dir, attemptFiles.heartbeat));
  }

  /** Appends a state change with the time. */
  record(change: Omit<StateLine, 'time'>): void {
    const appender = this.#files.openAppend(join(this.dir, attemptFiles.states));
    try {
      appender.append(canonicalJson({ time: new Date().toISOString(), ...change }));
      appender.sync();
    } finally {
      appender.close();
    }
  }

  /** Of the running attempt: why its worker is thought to hang, or (undefined) that it speaks again. */
  recordStalled(stalled: string | undefined): void {
    if (this.#reader.states(this.key, this.number).at(-1)?.state !== 'running') return;
    this.record({ state: 'running', ...(stalled !== undefined && { stalled }) });
  }

  /** Appends a line to the log, with the time. */
  log(line: string): void {
    this.#log ??= this.#files.openAppend(this.logFile);
    this.#log.append(`${new Date().toISOString()} ${line}`);
  }

  metric(record: MetricRecord): void {
    this.#metrics ??= this.#files.openAppend(join(this.dir, attemptFiles.metrics));
    this.#metrics.append(canonicalJson(record));
  }

  /** For people who look in; most calls write nothing. */
  progress(progress: Progress): void {
    this.#progress.note(progress);
  }

  /** Of each item that was tested whether it was right; written by `commit`. */
  items(right: readonly boolean[]): void {
    this.#items = right;
  }

  checkpoints(options: Omit<CheckpointOptions, 'flush'>): AttemptCheckpoints {
    const folders = {
      attempt: this.number,
      dirOf: (attempt: number) => this.#reader.attemptDir(this.key, attempt),
      attempts: () => this.#reader.attempts(this.key),
    };
    return new AttemptCheckpoints(this.#files, folders, { ...options, flush: () => this.#metrics?.sync() });
  }

  /** @param diffs how the code of the program and of the study differed from their commits; undefined when it did not */
  provenance(facts: JsonObject, diffs: { readonly program?: string | undefined; readonly study?: string | undefined } = {}): void {
    this.#writeOnce(attemptFiles.diff, diffs.program);
    this.#writeOnce(attemptFiles.studyDiff, diffs.study);
    this.#files.write(join(this.dir, attemptFiles.provenance), `${JSON.stringify(facts, null, 2)}\n`);
  }

  #writeOnce(name: string, text: string | undefined): void {
    const file = join(this.dir, name);
    if (text !== undefined && !existsSync(file)) this.#files.write(file, text);
  }

  /**
   * Makes this attempt the one that counts, unless another already does. Output and result are durable before.
   * @returns false when another attempt was committed first; this one then stays beside it and counts for nothing
   */
  async commit(result: StageResult): Promise<boolean> {
    const text = `${canonicalJson(result, 'result')}\n`;
    this.#metrics?.sync();
    this.#files.syncTree(this.output);
    this.#files.write(join(this.dir, attemptFiles.result), text);
    if (this.#items !== undefined) this.#files.write(join(this.dir, attemptFiles.items), packItems(this.#items));
    const manifest = await makeManifest(this.dir, COMMITTED);
    this.#files.write(join(this.dir, attemptFiles.manifest), `${canonicalJson(manifest)}\n`);
    const committed = this.claimStage();
    this.record({ state: committed ? 'done' : 'uncommitted' });
    return committed;
  }

  /** Gives back the files that it holds open; whatever comes later opens them again. */
  close(): void {
    this.#metrics?.close();
    this.#log?.close();
    this.#progress.close();
    this.#metrics = this.#log = undefined;
  }

  /** The last step of a commit. @returns false when another attempt was committed first */
  claimStage(): boolean {
    return writeCommit(this.#files, this.#reader.stageDir(this.key), this.number);
  }
}
