/** Arms of two reports side by side, and the runs behind them: new, gone, better, worse. */
import type { AblationDeclaration, ProfileBase, Study } from '../../ablation/declaration.ts';
import { isHeadroom } from '../../ablation/headroom.ts';
import { headlineMeasure, knownMeasures, measuresOf, type Measure } from '../../ablation/measures.ts';
import { difference, type Replicate } from '../statistics/compare.ts';
import type { ShownMeasure } from '../model/measure.ts';
import { byText, type RecordUse, type ReportRecord } from '../records/records.ts';
import { mean } from '../statistics/statistics.ts';
import { oneLine } from '../../text/clean.ts';
import { replicate, shownMeasure } from '../model/usage.ts';
import { declaredOf, FEWEST_SEEDS, type VerdictRule } from '../statistics/verdict.ts';

export type ArmOutcome =
  | 'new'
  | 'gone'
  /** Beyond noise, over all declared seeds. */
  | 'better'
  | 'worse'
  /** All declared seeds are there, and changed by less than noise. */
  | 'within noise'
  /** Too few seeds to judge a change of the results by. */
  | 'other results'
  /** The seeds in common are as they were: the estimate changed, the arm did not. */
  | 'more seeds'
  | 'fewer seeds'
  | 'other seeds';

export interface ArmChange {
  /** `ablation/arm`. */
  readonly name: string;
  readonly label: string;
  /** Of which its numbers are. */
  readonly measure: ShownMeasure;
  /** Other arms with the same runs. */
  readonly also: readonly string[];
  readonly outcome: ArmOutcome;
  /** Of an arm that is gone: whether it is still declared, and the label of a new arm that has its runs now. */
  readonly declared: boolean;
  readonly renamed: string | undefined;
  readonly before: MeasuredSide | undefined;
  readonly now: MeasuredSide | undefined;
  /** Of better, worse, within noise and other results, in the measure's unit. */
  readonly difference: ArmDifference | undefined;
}

export interface MeasuredSide {
  /** Of the declared seeds, of any where there is none of them; as in the report. */
  readonly mean: number;
  readonly counted: number;
  /** All seeds in order; never empty. */
  readonly perSeed: readonly { readonly seed: number; readonly value: number }[];
}

interface ArmDifference {
  /** Now minus before. */
  readonly value: number;
  /** What it must exceed; undefined: not judged. */
  readonly noise: number | undefined;
  /** Seeds in common. */
  readonly pairs: number;
}

/** Results of whole arms at one seed, each counted once however many arms share it. */
export interface RunChanges {
  readonly added: number;
  readonly removed: number;
  /** Other runs, or other numbers, in the places of earlier ones. */
  readonly replaced: number;
}

export interface ArmsInput {
  readonly study: Study;
  readonly profile: ProfileBase;
  readonly ablations: readonly AblationDeclaration<object>[];
  /** Of the arms of an ablation. */
  readonly rule: (ablation: string) => VerdictRule;
  readonly before: readonly ReportRecord[];
  readonly now: readonly ReportRecord[];
}

export interface ArmComparison {
  /** In the order of the declarations, those that are declared no more last; arms that share their runs stand once. */
  readonly changes: readonly ArmChange[];
  /** Arms with the same results on both sides. */
  readonly same: number;
  /** Measured arms of each side, declared by now or not; without the headroom. */
  readonly before: number;
  readonly now: number;
  readonly runs: RunChanges;
  /** Records of the baseline that are not there any more, and in whose place no other run stands. */
  readonly vanished: number;
}

/** How arms are told apart, in words for the report. */
export const armRule =
  'Better and worse: the 95 % t interval of the differences per seed, now minus before, does not hold zero. It is taken over all declared seeds, three or more; with fewer nothing is judged. ' +
  'Seeds that all moved alike are judged by the error of the test set. Seeds that were only added or left out change the estimate, not the arm.';

interface Measured extends Replicate {
  readonly key: string;
}
type Seeds = ReadonlyMap<number, Measured>;
/** By `ablation/arm` and, for another number than the first of the ablation, the name of that: `ablation/arm mce`. */
type Arms = ReadonlyMap<string, Seeds>;

const nameOf = (arm: string, measure: Measure, place: number): string => (place === 0 ? arm : `${arm} ${measure.name}`);

export function compareArms({ study, profile, ablations, rule, before, now }: ArmsInput): ArmComparison {
  const measures = new Map(ablations.map(ablation => [ablation.name, measuresOf(study, ablation)]));
  const sides = { before: measuredArms(study, measures, before), now: measuredArms(study, measures, now) };
  const shown = new Map([...knownMeasures(study)].map(([name, measure]) => [name, shownMeasure(study, profile, [...now, ...before], measure)]));
  const declared = declaredArms(ablations, measures, shown);
  const undeclared = [...new Set([...sides.before.keys(), ...sides.now.keys()])].filter(name => !declared.has(name)).sort(byText);
  const groups = new Map<string, ArmChange>();
  let same = 0;
  for (const name of [...declared.keys(), ...undeclared]) {
    const [a, b] = [sides.before.get(name) ?? NO_SEEDS, sides.now.get(name) ?? NO_SEEDS];
    if (a.size + b.size === 0) continue;
    const own = rule(ablationOf(name));
    const { label, measure } = declared.get(name) ?? { label: oneLine(name), measure: shown.get(headlineMeasure(study).name)! };
    const found = compareArm(a, b, measure.better === 'lower' ? -1 : 1, own);
    if (found === undefined) {
      same += 1;
      continue;
    }
    // One run may give several numbers.
    const runs = JSON.stringify([measure.name, keysOf(a), keysOf(b)]);
    const known = groups.get(runs);
    const change = { name, label, measure, also: [], declared: declared.has(name), renamed: undefined, ...found, before: sideOf(a, own), now: sideOf(b, own) };
    groups.set(runs, known === undefined ? change : { ...known, also: [...known.also, name] });
  }
  const isFirst = (name: string): boolean => armOf(name) === name;
  const count = (arms: Arms): number => [...arms.keys()].filter(name => isFirst(name) && !isHeadroom(study, ablationOf(name))).length;
  return {
    changes: [...groups].map(([runs, change]) => (change.outcome === 'gone' ? { ...change, renamed: groups.get(swapped(runs))?.label } : change)),
    same,
    before: count(sides.before),
    now: count(sides.now),
    runs: runChanges(sides.before, sides.now),
    vanished: vanished(before, now, sides).length,
  };
}

const NO_SEEDS: Seeds = new Map();
/** Of `ablation/arm`. */
export const ablationOf = (name: string): string => name.slice(0, name.indexOf('/'));
function swapped(runs: string): string {
  const [measure, before, now] = JSON.parse(runs) as [string, string[], string[]];
  return JSON.stringify([measure, now, before]);
}

function declaredArms(
  ablations: readonly AblationDeclaration<object>[],
  measures: ReadonlyMap<string, readonly Measure[]>,
  shown: ReadonlyMap<string, ShownMeasure>,
): ReadonlyMap<string, Pick<ArmChange, 'label' | 'measure'>> {
  return new Map(
    ablations.flatMap(({ name, title, arms }) =>
      arms.flatMap(arm =>
        measures.get(name)!.map((measure, place) => {
          const by = shown.get(measure.name)!;
          return [nameOf(`${name}/${arm.name}`, measure, place), { label: `${oneLine(title)}: ${oneLine(arm.label)}${place === 0 ? '' : `, ${by.label}`}`, measure: by }] as const;
        }),
      ),
    ),
  );
}

/** @param measures of the ablations that are declared; of others the headline counts */
function measuredArms(study: Study, measures: ReadonlyMap<string, readonly Measure[]>, records: readonly ReportRecord[]): Arms {
  const arms = new Map<string, Map<number, Measured>>();
  for (const record of records) {
    if (record.state !== 'done') continue;
    for (const { ablation, arm, seed, role } of record.uses) {
      for (const [place, measure] of (measures.get(ablation) ?? [headlineMeasure(study)]).entries()) {
        if (role !== measure.role) continue;
        const name = nameOf(`${ablation}/${arm}`, measure, place);
        const ofArm = arms.get(name) ?? new Map<number, Measured>();
        arms.set(name, ofArm.set(seed, { key: record.key, ...replicate(record, measure) }));
      }
    }
  }
  return arms;
}

const keysOf = (seeds: Seeds): string[] => [...seeds.values()].map(({ key }) => key).sort(byText);

function sideOf(seeds: Seeds, rule: VerdictRule): MeasuredSide | undefined {
  if (seeds.size === 0) return undefined;
  const counted = declaredOf([...seeds.keys()], rule.seeds);
  const perSeed = [...seeds].map(([seed, { value }]) => ({ seed, value })).sort((a, b) => a.seed - b.seed);
  return { mean: mean(counted.map(seed => seeds.get(seed)!.value)), counted: counted.length, perSeed };
}

/** Undefined: the same results for the same seeds. */
function compareArm(before: Seeds, now: Seeds, better: 1 | -1, { seeds: declared, gives }: VerdictRule): Pick<ArmChange, 'outcome' | 'difference'> | undefined {
  if (before.size === 0) return { outcome: 'new', difference: undefined };
  if (now.size === 0) return { outcome: 'gone', difference: undefined };
  const common = [...before.keys()].filter(seed => now.has(seed));
  if (common.every(seed => before.get(seed)!.value === now.get(seed)!.value)) return seedsChanged(before.size - common.length, now.size - common.length);
  const judged = gives && declared.length >= FEWEST_SEEDS && declared.every(seed => common.includes(seed));
  const ofDeclared = (side: Seeds): Seeds => (judged ? new Map(declared.map(seed => [seed, side.get(seed)!])) : side);
  const { value, interval } = difference(ofDeclared(now), ofDeclared(before))!;
  if (!judged || interval === undefined) return { outcome: 'other results', difference: { value, noise: undefined, pairs: common.length } };
  const noise = (interval.high - interval.low) / 2;
  return { outcome: Math.abs(value) <= noise ? 'within noise' : value * better > 0 ? 'better' : 'worse', difference: { value, noise, pairs: declared.length } };
}

function seedsChanged(gone: number, added: number): Pick<ArmChange, 'outcome' | 'difference'> | undefined {
  if (gone + added === 0) return undefined;
  return { outcome: gone === 0 ? 'more seeds' : added === 0 ? 'fewer seeds' : 'other seeds', difference: undefined };
}

/** Without the name of a number. */
const armOf = (name: string): string => name.split(' ')[0]!;
const placeOf = (name: string, seed: number): string => `${name}, seed ${seed}`;
const placesOf = (arms: Arms): Map<string, Measured> => new Map([...arms].flatMap(([name, seeds]) => [...seeds].map(([seed, measured]) => [placeOf(name, seed), measured] as const)));

function runChanges(armsBefore: Arms, armsNow: Arms): RunChanges {
  const [before, now] = [placesOf(armsBefore), placesOf(armsNow)];
  const known = new Set([...before.values()].map(({ key }) => key));
  const kept = new Set([...now.values()].map(({ key }) => key));
  const replaced = new Set([...now].filter(([place, { key, value }]) => before.has(place) && (before.get(place)!.key !== key || before.get(place)!.value !== value)).map(([, { key }]) => key));
  const added = [...kept].filter(key => !known.has(key) && !replaced.has(key));
  const removed = new Set([...before].filter(([place, { key }]) => !kept.has(key) && !now.has(place)).map(([, { key }]) => key));
  return { added: added.length, removed: removed.size, replaced: replaced.size };
}

/** A record whose arm has another run now was replaced with it: an edited recipe, or a rerun. */
function vanished(before: readonly ReportRecord[], now: readonly ReportRecord[], arms: { readonly before: Arms; readonly now: Arms }): ReportRecord[] {
  const kept = new Set(now.filter(({ state }) => state === 'done').map(({ key }) => key));
  const [was, is] = [placesOf(arms.before), placesOf(arms.now)];
  const isReplaced = (place: string): boolean => is.has(place) && is.get(place)!.key !== was.get(place)?.key;
  const names = new Map<string, string[]>();
  for (const name of new Set([...arms.before.keys(), ...arms.now.keys()])) names.set(armOf(name), [...(names.get(armOf(name)) ?? []), name]);
  const isGone = ({ ablation, arm, seed }: RecordUse): boolean => !(names.get(`${ablation}/${arm}`) ?? []).some(name => isReplaced(placeOf(name, seed)));
  return before.filter(({ key, state, uses }) => state === 'done' && !kept.has(key) && uses.every(isGone));
}
