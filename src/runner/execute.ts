/** Runs one attempt from its identity to its commit, in the calling process. */
import { loadStudy } from '../ablation/load.ts';
import { AblateError, Interrupted, PermanentError, UsageError } from '../ablation/errors.ts';
import type { MetricRecord, Progress, StageContext, StageKind, UpstreamOutput } from '../ablation/kind.ts';
import type { Attempt } from '../store/attempt.ts';
import type { StageRecord } from '../store/records.ts';
import { openStore, type Store } from '../store/store.ts';
import type { Task } from './executors/executor.ts';
import { Provenance } from './provenance.ts';

export interface Hooks {
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
  readonly log: (line: string) => void;
}

export type ExecutionState = 'done' | 'interrupted' | 'failed';

/** What came of it stands in the store; the return value only repeats it. */
export async function execute(task: Task, hooks: Hooks): Promise<ExecutionState> {
  const store = openStore(task.store, { warn: hooks.log });
  const attempt = store.attemptOf(task.key, task.attempt);
  attempt.claim();
  const provenance = new Provenance(task);
  attempt.provenance(provenance.facts());
  try {
    await runStage(store, attempt, provenance, task, hooks);
    return 'done';
  } catch (error) {
    attempt.provenance(provenance.facts());
    return recordFailure(attempt, error, hooks);
  }
}

async function runStage(store: Store, attempt: Attempt, provenance: Provenance, task: Task, hooks: Hooks): Promise<void> {
  const stage = store.stage(task.key);
  if (!stage) throw new PermanentError('UNKNOWN_STAGE', `Expected stage ${task.key} in the store, got none`);
  const kind = await loadKind(task.experiments, stage);
  hooks.progress({ phase: 'load', step: 0, steps: 0 });
  const run = await kind.load();
  const result = await run(stageContext(store, attempt, provenance, stage, task, hooks));
  attempt.provenance(provenance.facts());
  if (!(await attempt.commit(result))) hooks.log('Another attempt of this stage was committed first; this one does not count.');
  store.tidy(task.key);
}

function stageContext(store: Store, attempt: Attempt, provenance: Provenance, stage: StageRecord, task: Task, hooks: Hooks): StageContext {
  return {
    recipe: stage.recipe,
    seed: stage.seed,
    upstream: Object.fromEntries(Object.entries(stage.upstream).map(([slot, key]) => [slot, upstreamOutput(store, key)])),
    output: attempt.output,
    checkpoints: attempt.checkpoints({ every: task.checkpointEvery, warn: message => hooks.log(`Warning: ${message}`) }),
    execution: task.execution,
    metric: checkedMetric(attempt),
    progress: hooks.progress,
    log: hooks.log,
    provenance: facts => provenance.add(facts),
    signal: hooks.signal,
  };
}

async function loadKind(experiments: string, stage: StageRecord): Promise<StageKind> {
  const study = await loadStudy(experiments);
  const kind = study.kinds.find(k => k.name === stage.kind);
  if (!kind) throw new PermanentError('UNKNOWN_KIND', `Expected a kind '${stage.kind}' in the study of ${experiments}, got none`);
  if (kind.revision !== stage.revision) {
    throw new PermanentError('OTHER_REVISION', `Expected revision ${stage.revision} of kind '${kind.name}' as planned, got ${kind.revision}; the code changed since: plan again`);
  }
  return kind;
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

function recordFailure(attempt: Attempt, error: unknown, { signal, log }: Hooks): ExecutionState {
  if (error instanceof Interrupted || (signal.aborted && error instanceof Error && error.name === 'AbortError')) {
    log(error.message);
    attempt.record({ state: 'interrupted' });
    return 'interrupted';
  }
  const reason = error instanceof Error ? error.message : String(error);
  const permanent = error instanceof PermanentError || error instanceof UsageError || (error instanceof AblateError && error.code === 'NOT_JSON');
  log(error instanceof Error ? (error.stack ?? reason) : reason);
  attempt.record({ state: 'failed', code: error instanceof AblateError ? error.code : 'STAGE_FAILED', reason, permanent });
  return 'failed';
}
