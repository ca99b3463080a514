/** Where each stage of an arm stands, and why: the plan, the store and the sweeps before, put side by side. */
import { attemptPlace } from '../store/records.ts';
import type { StageIdentity } from '../ablation/kind.ts';
import { identityDifferences, nearestIdentity, type IdentityDifference } from '../plan/explain.ts';
import { stagesToRun } from '../plan/needed.ts';
import type { Plan, PlannedArm, PlannedStage } from '../plan/plan.ts';
import { StoreError } from '../store/errors.ts';
import type { StageState, StoreReader } from '../store/reader.ts';
import { isOfStudy, sameScale, type SweepRecord } from '../store/sweeps.ts';
import { oneLine } from '../text/clean.ts';

/** A field of the identity that is another than it was. Canonical JSON; undefined where the field is missing. */
export interface Change {
  readonly field: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** For an upstream stage: its role in this arm, whose own line says what changed. */
  readonly role?: string;
}

/** Another stage, compared with the planned one. */
interface Compared {
  readonly key: string;
  readonly changes: readonly Change[];
}

interface StateFacts {
  /** `items`: how many it tested and tells of one by one. */
  readonly done: { readonly attempt: number; readonly codeHash?: string; readonly ended?: string; readonly seconds?: number; readonly place?: string; readonly items?: number };
  readonly reused: StateFacts['done'] & { readonly sharedWith: readonly string[] };
  readonly running: { readonly attempt: number; readonly since?: string; readonly process: string };
  readonly interrupted: { readonly attempt: number; readonly log: string; readonly checkpoint?: number };
  readonly failed: { readonly attempt: number; readonly log: string; readonly code: string; readonly reason: string; readonly checkpoint?: number };
  /** An earlier sweep of this arm, seed and role planned another key. `was.changes` is missing where the store no longer knows that stage. */
  readonly stale: { readonly sweep: string; readonly was: { readonly key: string; readonly state: StageState['state']; readonly changes?: readonly Change[] } };
  readonly missing: { readonly planned?: string; readonly nearest?: Compared & { readonly label: string } };
}

export type StageExplanation = {
  [S in keyof StateFacts]: { readonly role: string; readonly kind: string; readonly key: string; readonly state: S; readonly next?: Next } & StateFacts[S];
}[keyof StateFacts];

/** What a sweep would do with a stage; absent: nothing. */
type Next = 'run' | 'continue' | 'wait';

export interface ReplicateExplanation {
  readonly seed: number;
  /** From the first to the last. */
  readonly stages: readonly StageExplanation[];
  /** Roles that this arm had in the newest sweep and has no more. */
  readonly gone: readonly string[];
}

export interface ExplainContext {
  readonly study: string;
  readonly plan: Plan;
  readonly profile: string;
  readonly overrides: readonly string[];
  /** Undefined before the first sweep. */
  readonly store: StoreReader | undefined;
  readonly sweeps: readonly SweepRecord[];
}

/** More fields than these say nothing any more. */
const NEAR = 6;

export function explainReplicate(arm: PlannedArm, around: ExplainContext): ReplicateExplanation {
  const { plan, store } = around;
  const roles = new Map<string, string[]>();
  for (const [role, key] of Object.entries(arm.stages)) roles.set(key, [...(roles.get(key) ?? []), role]);
  const stages = [...plan.stages.values()].filter(stage => roles.has(stage.key));
  const toRun = new Set(stagesToRun({ stages: plan.stages, arms: [arm] }, key => store?.doneAttempt(key) !== undefined).map(s => s.key));
  const history = historyOf(arm, around);
  return {
    seed: arm.seed,
    stages: stages.map(stage => explainStage(stage, roles.get(stage.key)!, arm, history, toRun.has(stage.key), around)),
    gone: Object.keys(history[0]?.stages ?? {}).filter(role => !(role in arm.stages)),
  };
}

type History = readonly { readonly time: string; readonly stages: Readonly<Record<string, string>> }[];

/** What sweeps at the same profile and overrides planned for this replicate, newest first. */
function historyOf({ ablation, arm, seed }: PlannedArm, { sweeps, study, profile, overrides }: ExplainContext): History {
  return sweeps
    .filter(sweep => sameScale(sweep, { study, profile, overrides }))
    .flatMap(({ time, arms }) => {
      const found = arms.find(a => a.ablation === ablation && a.arm === arm && a.seed === seed);
      return found ? [{ time, stages: found.stages }] : [];
    });
}

function explainStage(stage: PlannedStage, roles: readonly string[], arm: PlannedArm, history: History, needed: boolean, around: ExplainContext): StageExplanation {
  const { key, kind } = stage;
  const state = around.store?.state(key) ?? { state: 'absent' as const };
  const head = { role: roles.join(', '), kind, key };
  const next = (what: Next) => (needed ? { next: what } : {});
  switch (state.state) {
    case 'done': {
      const sharedWith = armsOfOtherTables(stage, arm);
      const done = doneFacts(around.store!, key, state.attempt);
      return sharedWith.length > 0 ? { ...head, state: 'reused', ...done, sharedWith } : { ...head, state: 'done', ...done };
    }
    case 'running':
      return { ...head, state: 'running', ...next('wait'), attempt: state.attempt, ...startOf(around.store!, key, state.attempt), process: `${state.owner.pid} on ${state.owner.host}` };
    case 'interrupted':
    case 'failed': {
      const checkpoint = around.store!.furthestCheckpoint(key)?.step;
      const facts = { attempt: state.attempt, log: around.store!.logFile(key, state.attempt), ...(checkpoint !== undefined && { checkpoint }) };
      const then = next(checkpoint === undefined ? 'run' : 'continue');
      return state.state === 'failed' ? { ...head, state: 'failed', ...then, ...facts, code: state.code, reason: state.reason } : { ...head, state: 'interrupted', ...then, ...facts };
    }
    case 'absent':
      return absent(stage, head, roles, arm, history, next('run'), around);
  }
}

function absent(
  stage: PlannedStage,
  head: Pick<StageExplanation, 'role' | 'kind' | 'key'>,
  roles: readonly string[],
  arm: PlannedArm,
  history: History,
  next: { next?: Next },
  around: ExplainContext,
): StageExplanation {
  const before = history.flatMap(({ time, stages }) =>
    roles.flatMap(role => {
      const key = stages[role];
      return key === undefined || key === stage.key ? [] : [{ time, key }];
    }),
  )[0];
  if (before !== undefined) {
    const identity = identityIn(around.store!, before.key);
    const was = { key: before.key, state: around.store!.state(before.key).state, ...(identity && { changes: changesBetween(identity, stage, arm) }) };
    return { ...head, state: 'stale', ...next, sweep: before.time, was };
  }
  const planned = history.find(({ stages }) => roles.some(role => stages[role] === stage.key))?.time;
  const nearest = nearestDone(stage, arm, around);
  return { ...head, state: 'missing', ...next, ...(planned !== undefined && { planned }), ...(nearest && { nearest }) };
}

/** The done stage of the same kind that differs in the fewest fields, if in few: of this plan, or of this arm at other overrides. */
function nearestDone(stage: PlannedStage, arm: PlannedArm, { study, plan, store, sweeps, profile }: ExplainContext): (Compared & { label: string }) | undefined {
  if (!store) return undefined;
  const ofArm = sweeps
    .filter(s => isOfStudy(s, study) && s.profile === profile)
    .flatMap(s => s.arms)
    .filter(a => a.ablation === arm.ablation && a.arm === arm.arm && a.seed === arm.seed);
  const planned = [...plan.stages.values()].flatMap(s => (s.kind === stage.kind ? [s.key] : []));
  const keys = new Set([...planned, ...ofArm.flatMap(a => Object.values(a.stages))]);
  const done = [...keys].flatMap(key => {
    const record = store.doneAttempt(key) === undefined ? undefined : identityIn(store, key);
    return record?.kind === stage.kind ? [record] : [];
  });
  const found = nearestIdentity(stage, done);
  if (!found || found.differences.length > NEAR) return undefined;
  return { key: found.stage.key, label: found.stage.label, changes: found.differences.map(d => change(d, stage, arm)) };
}

/** Undefined when the store does not hold the stage, or not whole. */
function identityIn(store: StoreReader, key: string): (StageIdentity & { key: string; label: string }) | undefined {
  try {
    return store.stage(key);
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

const changesBetween = (was: StageIdentity, stage: PlannedStage, arm: PlannedArm): Change[] => identityDifferences(was, stage).map(d => change(d, stage, arm));

function change({ field, a, b }: IdentityDifference, stage: PlannedStage, arm: PlannedArm): Change {
  const slot = /^upstream\.(.+)$/.exec(field)?.[1];
  const role = slot === undefined ? undefined : Object.entries(arm.stages).find(([, key]) => key === stage.upstream[slot])?.[0];
  return { field, from: a, to: b, ...(role !== undefined && { role }) };
}

function armsOfOtherTables(stage: PlannedStage, arm: PlannedArm): string[] {
  return [...new Set(stage.users.filter(u => u.ablation !== arm.ablation).map(u => `${u.ablation}/${u.arm}`))];
}

function doneFacts(store: StoreReader, key: string, attempt: number): StateFacts['done'] {
  const { ended, wall_seconds: seconds, code_hash: codeHash } = store.provenance(key) ?? {};
  const record = store.attempt(key, attempt);
  const place = record && attemptPlace(record);
  const items = store.items(key)?.length;
  return {
    attempt,
    ...(typeof codeHash === 'string' && { codeHash: oneLine(codeHash) }),
    ...(typeof ended === 'string' && { ended }),
    ...(typeof seconds === 'number' && { seconds }),
    ...(place !== undefined && { place }),
    ...(items !== undefined && { items }),
  };
}

function startOf(store: StoreReader, key: string, attempt: number): { since?: string } {
  const since = store.attempt(key, attempt)?.created;
  return since === undefined ? {} : { since };
}
