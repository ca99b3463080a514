/** A store as plain data, for scripts and notebooks: what was planned for which arm, what came of it, and what that says of the claims. */
import type { JsonObject, MetricRecord, StageResult } from '../ablation/kind.ts';
import type { StoreReader } from '../store/reader.ts';
import { openStoreReadOnly } from '../store/store.ts';
import { newestArms } from '../store/sweeps.ts';
import type { StoredVerdict, VerdictsOptions } from './stored-verdict.ts';

/** A stage as it stands in a store. */
export interface StoredStage {
  readonly key: string;
  readonly kind: string;
  readonly seed: number;
  readonly recipe: JsonObject;
  /** Key of the stage in each slot. */
  readonly upstream: Readonly<Record<string, string>>;
  /** `absent`: no sweep has come to it yet; `interrupted`: the next sweep goes on from its last checkpoint. */
  readonly state: 'absent' | 'running' | 'interrupted' | 'failed' | 'done';
  /** Of a stage that has failed. */
  readonly failure?: { readonly code: string; readonly reason: string };
  /** The numbers of a stage that is done. */
  readonly result?: StageResult;
  /** Folder with the files that a stage that is done has left. */
  readonly output?: string;
}

/** One replicate of an arm, as it was planned last. */
export interface StoredArm {
  /** Absent in records of older versions. */
  readonly study?: string;
  readonly profile: string;
  /** Fields of the profile that were set on the command line, `distill.epochs=5`, sorted. */
  readonly overrides: readonly string[];
  readonly ablation: string;
  readonly arm: string;
  readonly seed: number;
  /** The stages of the arm by their roles. */
  readonly stages: Readonly<Record<string, StoredStage>>;
}

/** What can be read of a store. Each call looks anew, also while a sweep runs; nothing is ever changed. */
export interface ReadableStore {
  /** Every arm that a sweep has planned, once for each seed, profile and set of overrides. @param only those with these values */
  arms(only?: Partial<Pick<StoredArm, 'study' | 'profile' | 'ablation' | 'arm' | 'seed'>>): StoredArm[];
  /** Keys of all stages, sorted. */
  keys(): string[];
  /** Undefined for a key that the store does not have. */
  stage(key: string): StoredStage | undefined;
  /** Metrics of a stage by step: of several attempts one curve, in which no step is twice. Empty where nothing was recorded. */
  curve(key: string): MetricRecord[];
  /** Of each item that a stage tested, in the order of the test set, whether it was right; undefined where it left none. */
  items(key: string): boolean[] | undefined;
  /** Where, when, by which code and at what cost a stage ran: of the attempt that counts, else of the newest. */
  provenance(key: string): Readonly<Record<string, unknown>> | undefined;
  /**
   * What the results say of every declared claim, by the rules of the report, in the order of the declarations.
   * @throws UsageError where a declaration or an override is wrong
   */
  verdicts(of: VerdictsOptions): Promise<StoredVerdict[]>;
}

/**
 * Opens a store (`runs/` in the folder of a study, unless `--store` named another) to read it. A damaged file is an error that names it.
 *
 * @param path folder of the store
 * @throws StoreError `STORE_MISSING`, `NOT_A_STORE`, `STORE_NEWER`; its methods throw `STORE_DAMAGED`
 *
 * @example The number of each arm and seed, a curve, and the verdicts.
 * ```ts
 * // read.ts
 * import { openStore } from 'tinymim-ablations';
 *
 * const store = openStore('runs');
 * for (const { ablation, arm, seed, stages } of store.arms({ ablation: 'coins' })) {
 *   const { toss } = stages;
 *   if (toss?.result === undefined) continue; // not done yet
 *   const curve = store.curve(toss.key).map(({ step, heads }) => [step, heads]);
 *   console.log(`${ablation}/${arm} seed ${seed}: ${toss.result['heads']} after ${curve.length} points`);
 * }
 * for (const { sentence, verdict } of await store.verdicts({ profile: 'few' })) console.log(`${sentence} ${verdict}`);
 * ```
 */
export function openStore(path: string): ReadableStore {
  const reader = openStoreReadOnly(path);
  return {
    arms: (only = {}) =>
      newestArms(reader.sweeps())
        .filter(arm => Object.entries(only).every(([name, value]) => value === undefined || arm[name as keyof typeof only] === value))
        .map(({ study, stages, ...arm }) => ({
          ...arm,
          ...(study !== undefined && { study }),
          stages: Object.fromEntries(Object.entries(stages).flatMap(([role, key]) => [stageIn(reader, key)].flatMap(stage => (stage === undefined ? [] : [[role, stage]])))),
        })),
    keys: () => reader.keys(),
    stage: key => stageIn(reader, key),
    curve: key => reader.curve(key),
    items: key => reader.items(key),
    provenance: key => reader.provenance(key),
    // The report's code is loaded by those who ask for it.
    verdicts: async of => (await import('./store-verdicts.ts')).verdictsIn(reader, of),
  };
}

function stageIn(reader: StoreReader, key: string): StoredStage | undefined {
  const stage = reader.stage(key);
  if (stage === undefined) return undefined;
  const { kind, seed, recipe, upstream } = stage;
  const state = reader.state(key);
  const [result, output] = [reader.result(key), reader.output(key)];
  return {
    key,
    kind,
    seed,
    recipe,
    upstream,
    state: state.state,
    ...(state.state === 'failed' && { failure: { code: state.code, reason: state.reason } }),
    ...(result !== undefined && { result }),
    ...(output !== undefined && { output }),
  };
}
