/** Runs the attempts of one job from their identities to their commits, in the calling process. */
import type { Study } from '../ablation/declaration.ts';
import { doubtfulNumbers, doubtText } from '../ablation/doubtful.ts';
import { AblateError, Interrupted, isPermanent, PermanentError } from '../ablation/errors.ts';
import { revisionOf } from '../ablation/identity.ts';
import type { MetricRecord, Progress, StageContext, StageKind, StageResult, UpstreamOutput } from '../ablation/kind.ts';
import { loadStudy } from '../ablation/load.ts';
import { codeOfKind, type KindCode, type UnknownCode } from '../code/kind-code.ts';
import { refusalOf } from '../plan/objections.ts';
import type { Attempt } from '../store/attempt.ts';
import { noRoom } from '../store/errors.ts';
import { attemptPlace, type StageRecord } from '../store/records.ts';
import { Store } from '../store/store.ts';
import type { OnProgress, Task } from './executors/executor.ts';
import { gpuFailure } from './gpu-failures.ts';
import { MEMORY_REMEDY, OUT_OF_MEMORY, saysOutOfMemory } from './out-of-memory.ts';
import { loadPackRunner } from './pack-runner.ts';
import { JobMeter, Provenance } from './provenance.ts';

export interface Hooks {
  /** Its reason is an error whose message says who asked. */
  readonly signal: AbortSignal;
  readonly progress: OnProgress;
}

export type ExecutionState = 'done' | 'interrupted' | 'failed' | 'failed-permanently';

/** What came of each attempt stands in the store; the return value only repeats it. */
export async function execute(task: Task, hooks: Hooks): Promise<ExecutionState[]> {
  const store = new Store(task.store, { warn: message => members.forEach(m => m.attempt.log(`Warning: ${message}`)) });
  const meter = new JobMeter(task);
  const members = task.attempts.map(({ key, attempt }) => new Member(store, store.attemptOf(key, attempt), new Provenance(task, meter)));
  const onStop = (): void => members.forEach(m => m.attempt.log(`Stopping: ${(hooks.signal.reason as Error).message}.`));
  hooks.signal.addEventListener('abort', onStop);
  try {
    members.forEach(member => member.claim(task));
    const settled = await runMembers(members, task, hooks);
    const states: ExecutionState[] = [];
    for (const [i, member] of members.entries()) states.push(await member.settle(settled[i]!, hooks));
    return states;
  } finally {
    hooks.signal.removeEventListener('abort', onStop);
    members.forEach(member => member.attempt.close());
  }
}

type Settled = PromiseSettledResult<StageResult>;

/** Each member with its own outcome; what goes wrong before a stage's code is reached is the failure of that member, or of all. */
async function runMembers(members: readonly Member[], task: Task, hooks: Hooks): Promise<Settled[]> {
  const outcomes = new Map<Member, Settled>();
  const ready: { readonly member: Member; readonly context: StageContext }[] = [];
  let kind: StageKind | undefined;
  for (const member of members) {
    try {
      const stage = member.stage();
      kind = await loadKind(task.experiments, stage);
      member.ranBy(codeFor(kind, stage, task.code));
      const context = member.context(stage, kind, task, hooks);
      expectToRun(kind, context);
      ready.push({ member, context });
    } catch (error) {
      outcomes.set(member, { status: 'rejected', reason: error });
    }
  }
  if (kind !== undefined && ready.length > 0) {
    const settled = await runTogether(
      kind,
      ready.map(({ context }) => context),
    );
    ready.forEach(({ member }, i) => outcomes.set(member, settled[i]!));
  }
  return members.map(member => outcomes.get(member)!);
}

async function runTogether(kind: StageKind, contexts: readonly StageContext[]): Promise<readonly Settled[]> {
  try {
    for (const context of contexts) context.progress({ phase: 'load', step: 0, steps: 0 });
    const settled = await (await loadPackRunner(kind))(contexts);
    if (settled.length === contexts.length) return settled;
    throw new PermanentError('PACK_RESULTS', `Kind '${kind.name}': expected the outcomes of ${contexts.length} stages, got ${settled.length}`);
  } catch (error) {
    return contexts.map(() => ({ status: 'rejected', reason: error }));
  }
}

class Member {
  readonly attempt: Attempt;
  readonly #store: Store;
  readonly #provenance: Provenance;
  #kind: StageKind | undefined;
  #latest: Progress = { phase: 'load', step: 0, steps: 0 };
  /** Metrics that something was said of. */
  readonly #doubted = new Set<string>();

  constructor(store: Store, attempt: Attempt, provenance: Provenance) {
    this.#store = store;
    this.attempt = attempt;
    this.#provenance = provenance;
  }

  claim({ place, attempts, execution, borrowedThreads }: Task): void {
    this.attempt.claim();
    const beside = attempts.length > 1 ? `, beside ${attempts.flatMap(a => (a.key === this.attempt.key ? [] : [a.key.slice(0, 12)])).join(', ')}` : '';
    this.attempt.log(
      `Attempt ${this.attempt.number} on ${attemptPlace(this.#store.attempt(this.attempt.key, this.attempt.number)) || place} in process ${process.pid}${beside}${borrowedThreads === undefined ? '' : `, with ${execution.threads} threads, ${borrowedThreads} of them of idle workers`}.`,
    );
    const { microBatches = 1 } = execution;
    if (microBatches > 1) {
      this.attempt.log(`For want of memory every batch in ${microBatches} times as many micro-batches as the recipe says: the numbers differ in their last digits.`);
      this.#provenance.add({ micro_batches: microBatches });
    }
    this.#recordFacts();
  }

  ranBy(code: KindCode | UnknownCode): void {
    this.#provenance.ranBy(code);
    if ('unknown' in code) this.attempt.log(`The code of this kind is recorded as unknown: ${code.unknown}`);
  }

  stage(): StageRecord {
    const stage = this.#store.stage(this.attempt.key);
    if (!stage) throw new PermanentError('UNKNOWN_STAGE', `Expected stage ${this.attempt.key} in the store, got none`);
    return stage;
  }

  context(stage: StageRecord, kind: StageKind, task: Task, hooks: Hooks): StageContext {
    const { attempt } = this;
    const record = checkedMetric(attempt);
    this.#kind = kind;
    return {
      recipe: stage.recipe,
      seed: stage.seed,
      upstream: Object.fromEntries(Object.entries(stage.upstream).map(([slot, key]) => [slot, upstreamOutput(this.#store, key)])),
      output: attempt.output,
      scratch: attempt.scratch,
      checkpoints: attempt.checkpoints({ every: task.checkpointEvery, warn: message => attempt.log(`Warning: ${message}`) }),
      execution: task.execution,
      metric: numbers => {
        record(numbers);
        this.#doubt(numbers, hooks);
      },
      progress: progress => {
        this.#latest = progress;
        attempt.progress(progress);
        hooks.progress(attempt.key, progress);
      },
      items: right => attempt.items(right),
      log: line => attempt.log(line),
      provenance: facts => this.#provenance.add(facts),
      signal: hooks.signal,
    };
  }

  /** Commits the result, or records why there is none. */
  async settle(settled: Settled, hooks: Hooks): Promise<ExecutionState> {
    const { signal, progress } = hooks;
    this.#recordFacts();
    this.attempt.clearScratch();
    if (settled.status === 'rejected') return recordFailure(this.attempt, settled.reason, signal);
    this.#doubt(settled.value, hooks);
    progress(this.attempt.key, { phase: 'save', step: 0, steps: 0 });
    try {
      if (!(await this.attempt.commit(settled.value))) this.attempt.log('Another attempt of this stage was committed first; this one does not count.');
    } catch (error) {
      return recordFailure(this.attempt, error, signal);
    }
    this.#store.tidy(this.attempt.key);
    return 'done';
  }

  /** Says of each number once that it is doubtful, in the log and to who watches. */
  #doubt(numbers: Readonly<Record<string, unknown>>, { progress }: Hooks): void {
    for (const doubtful of this.#kind === undefined ? [] : doubtfulNumbers(this.#kind, numbers)) {
      if (this.#doubted.has(doubtful.metric)) continue;
      this.#doubted.add(doubtful.metric);
      const doubt = doubtText(doubtful);
      this.attempt.log(`Warning: ${doubt}.`);
      progress(this.attempt.key, { ...this.#latest, doubt });
    }
  }

  #recordFacts(): void {
    this.attempt.provenance(this.#provenance.facts(), this.#provenance.diffs());
  }
}

/** Studies by folder: loaded once in a process. */
const studies = new Map<string, Promise<Study>>();

async function loadKind(experiments: string, stage: StageRecord): Promise<StageKind> {
  const loading = studies.get(experiments) ?? loadStudy(experiments);
  studies.set(experiments, loading);
  const study = await loading;
  const kind = study.kinds.find(k => k.name === stage.kind);
  if (!kind) throw new PermanentError('UNKNOWN_KIND', `Expected a kind '${stage.kind}' in the study of ${experiments}, got none`);
  const revision = revisionOf(kind, stage.recipe);
  if (revision !== stage.revision) {
    throw new PermanentError('OTHER_REVISION', `Expected revision ${stage.revision} of kind '${kind.name}' as planned, got ${revision}; the code changed since: plan again`);
  }
  return kind;
}

/** @throws PermanentError where the key says which code it is to be, and it is another */
function codeFor(kind: StageKind, stage: StageRecord, expected: KindCode | undefined): KindCode | UnknownCode {
  const code = codeOfKind(kind, expected);
  const got = 'hash' in code ? code.hash : code.unknown;
  if (stage.codeHash !== undefined && stage.codeHash !== got) {
    throw new PermanentError('OTHER_CODE', `Expected code ${stage.codeHash} of kind '${kind.name}' as planned, got ${got}; it was edited since: plan again`);
  }
  return code;
}

/** A plan has asked the same, unless somebody ran it without. @throws PermanentError `BAD_RECIPE` */
function expectToRun(kind: StageKind, { recipe, upstream }: StageContext): void {
  const refusal = refusalOf(kind, recipe, Object.fromEntries(Object.entries(upstream).map(([slot, { recipe: inner }]) => [slot, inner])));
  if (refusal !== undefined) throw new PermanentError('BAD_RECIPE', refusal);
}

function upstreamOutput(store: Store, key: string): UpstreamOutput {
  const stage = store.stage(key);
  const result = store.result(key);
  const output = store.output(key);
  if (!stage || !result || output === undefined) throw new AblateError('UPSTREAM_MISSING', `Expected upstream stage ${key} to be done, got ${store.state(key).state}`);
  return { key, kind: stage.kind, recipe: stage.recipe, result, output };
}

function checkedMetric(attempt: Attempt): (record: MetricRecord) => void {
  let last = 0;
  return record => {
    const bad = Object.entries(record).find(([, value]) => !Number.isFinite(value));
    if (bad) throw new PermanentError('NOT_FINITE', `Metric '${bad[0]}' at step ${record.step}: expected a finite number, got ${bad[1]}`);
    if (record.step < last) throw new PermanentError('STEP_BACK', `Metric step: expected ${last} or more, got ${record.step}`);
    last = record.step;
    attempt.metric(record);
  };
}

function recordFailure(attempt: Attempt, thrown: unknown, signal: AbortSignal): ExecutionState {
  const error = noRoom(thrown, attempt.output);
  if (error instanceof Interrupted || (signal.aborted && error instanceof Error && error.name === 'AbortError')) {
    attempt.log(error.message);
    attempt.record({ state: 'interrupted' });
    return 'interrupted';
  }
  const reason = error instanceof Error ? error.message : String(error);
  // Another GPU, or the same one later, may give what this one did not.
  const gpu = gpuFailure(reason);
  const permanent = gpu === undefined && isPermanent(error);
  attempt.log(error instanceof Error ? (error.stack ?? reason) : reason);
  const code = gpu?.code ?? codeOf(error) ?? (saysOutOfMemory(reason) ? OUT_OF_MEMORY : 'STAGE_FAILED');
  const remedy = gpu?.remedy ?? (code === OUT_OF_MEMORY ? MEMORY_REMEDY : undefined);
  attempt.record({ state: 'failed', code, reason: remedy === undefined ? reason : `${reason}\n${remedy}`, permanent });
  return permanent ? 'failed-permanently' : 'failed';
}

/** Of our own errors, and of those that say as much as they do; a system error has a code, too, which says less than its text. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof AblateError) return error.code;
  return isPermanent(error) && 'code' in (error as Error) ? String((error as Error & { readonly code: unknown }).code) : undefined;
}
