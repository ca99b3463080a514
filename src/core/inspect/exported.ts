/** What `ablate export` writes: the stage that is meant, and whether it can go out. */
import type { Study } from '../ablation/declaration.ts';
import { UsageError } from '../ablation/errors.ts';
import type { Exporting, JsonObject, StageIdentity } from '../ablation/kind.ts';
import { problems, problemText } from '../ablation/problems.ts';
import { suggest } from '../ablation/suggest.ts';
import type { PlannedExperiments } from '../plan/plan.ts';
import { oneLine } from '../text/clean.ts';
import { StoreError } from '../store/errors.ts';
import type { StageState, StoreReader } from '../store/reader.ts';
import type { ChosenArm } from './arm.ts';

/** A stage as the person named it. */
export interface NamedStage {
  readonly key: string;
  /** E.g. `finetune of relation/qk-vv, seed 0`. */
  readonly name: string;
  /** The same as part of a file's name. */
  readonly file: string;
  readonly identity: StageIdentity;
  /** What would run it: the selectors of a sweep. */
  readonly sweep: string;
}

/** What stages of the study can be exported to. */
export const exportFormats = (study: Study): string[] => [...new Set(study.kinds.flatMap(({ exporting }) => Object.keys(exporting?.formats ?? {})))];

const exportable = (study: Study): string[] => study.kinds.filter(({ exporting }) => exporting !== undefined).map(({ name }) => name);

/**
 * @param role default: the last one of those that can be exported. Of several seeds it is the first whose stage is done, else the first.
 * @throws UsageError when the arm has no such role, or none that can be exported
 */
export function namedByArm({ study, plan }: PlannedExperiments, arm: ChosenArm, store: StoreReader, role: string | undefined): NamedStage {
  const kinds = exportable(study);
  const roles = Object.entries(arm.replicates[0]!.stages).flatMap(([name, key]) => (kinds.includes(plan.stages.get(key)!.kind) ? [name] : []));
  const chosen = role ?? roles.at(-1);
  if (chosen === undefined || !roles.includes(chosen)) {
    throw new UsageError('UNKNOWN_ROLE', `Expected a role of ${arm.name} that can be exported (${roles.join(', ') || 'it has none'}), got ${role === undefined ? 'none' : `'${role}'`}`);
  }
  const { stages, seed } = arm.replicates.find(({ stages: { [chosen]: key } }) => store.doneAttempt(key!) !== undefined) ?? arm.replicates[0]!;
  const key = stages[chosen]!;
  return { key, name: `${chosen} of ${arm.name}, seed ${seed}`, file: `${arm.name.replace('/', '-')}-${chosen}-${seed}`, identity: plan.stages.get(key)!, sweep: `--only ${arm.name}` };
}

/** @param key of a stage that the store knows. @throws UsageError when it knows no more than the key */
export function namedByKey(store: StoreReader, key: string): NamedStage {
  const stage = store.stage(key);
  if (stage === undefined)
    throw new UsageError('UNKNOWN_STAGE', `Expected a stage with its recipe, got ${key}, of which ${store.dir} has no more than the folder; name its arm: ablate export <ablation>/<arm>`);
  const { label, ...identity } = stage;
  return { key, name: `stage ${key.slice(0, 12)} (${oneLine(label)})`, file: `${stage.kind}-${key.slice(0, 12)}`, identity, sweep: '' };
}

export interface Exportable {
  readonly exporting: Exporting;
  /** As its kind parses it today. */
  readonly recipe: JsonObject;
  /** Ending of the file. */
  readonly ending: string;
}

/** @throws UsageError for a kind that cannot be exported, or not to this format */
export function requireExportable(study: Study, { name, identity: { kind: kindName, recipe, upstream, revision } }: NamedStage, format: string, store: StoreReader): Exportable {
  const kind = study.kinds.find(one => one.name === kindName);
  if (kind === undefined) {
    throw new UsageError(
      'UNKNOWN_KIND',
      `Expected a stage of study '${study.name}', got ${name}, whose kind '${kindName}' it does not have; name the folder of its declarations: --experiments <folder>`,
    );
  }
  const { exporting } = kind;
  if (exporting === undefined) {
    const input = Object.values(upstream).find(key => exportable(study).includes(store.stage(key)?.kind ?? ''));
    throw new UsageError(
      'NOT_EXPORTABLE',
      `Expected a stage that leaves what can be exported (${exportable(study).join(', ') || `study '${study.name}' has none`}), got ${name} of kind ${kindName}${input === undefined ? '' : `; its input does: ablate export ${input.slice(0, 12)} --to ${format}`}`,
    );
  }
  const ending = Object.hasOwn(exporting.formats, format) ? exporting.formats[format] : undefined;
  const formats = Object.keys(exporting.formats);
  if (ending === undefined) throw new UsageError('UNKNOWN_FORMAT', `--to: expected ${formats.join(' or ')}, got '${format}'${suggest(format, formats)}`);
  const parsed = kind.recipe.safeParse(recipe);
  if (!parsed.success) {
    const [first] = problems(kind.recipe, recipe);
    throw new UsageError(
      'OLD_RECIPE',
      `Expected a recipe that kind '${kindName}' takes today, got that of ${name} (revision ${revision}): ${first ? problemText(first) : 'it does not fit'}; export it with the version that ran it`,
    );
  }
  return { exporting, recipe: parsed.data, ending };
}

/** Folder with its final files. @throws UsageError when the stage is not done, StoreError when its files are not as they were written */
export async function requireOutput(store: StoreReader, { key, name, sweep }: NamedStage): Promise<string> {
  const state = store.state(key);
  if (state.state !== 'done') throw new UsageError('NOT_DONE', `Expected ${name} to be done, got one that ${stateText(state)}; ${mendText(state, key, ['ablate sweep', sweep].join(' ').trim())}`);
  const broken = await store.damageOf(key, state.attempt);
  if (broken === undefined) return store.output(key)!;
  throw new StoreError(
    'STORE_DAMAGED',
    `Expected the files of ${name} as they were written, got ${store.attemptDir(key, state.attempt)}, where ${broken}; copy it anew from where it came from, or remove ${store.stageDir(key)} with the stages made from it and sweep again`,
  );
}

function stateText(state: Exclude<StageState, { state: 'done' }>): string {
  switch (state.state) {
    case 'absent':
      return 'was never run';
    case 'running':
      return `runs (attempt ${state.attempt})`;
    case 'interrupted':
      return `broke off (attempt ${state.attempt})`;
    case 'failed':
      return `failed (attempt ${state.attempt}, ${state.code})`;
  }
}

function mendText({ state }: StageState, key: string, sweep: string): string {
  if (state === 'running') return 'wait for it: ablate status says for how long';
  return state === 'failed' ? `ablate logs ${key.slice(0, 12)} says why, then run ${sweep}` : `run ${sweep}`;
}
