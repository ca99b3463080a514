/** Which stages run side by side in one worker: as many as share, as fit, and as leave no worker idle. */
import type { Plan, PlannedStage } from './plan.ts';
import { priorities as prioritiesOf, workOf } from './priority.ts';
import { makespan, schedule, type Pack } from './schedule.ts';
import { together, type Sharings } from './sharing.ts';

/** More would save little of the shared work, and lose much with one worker. */
const LARGEST_PACK = 12;
/** A split must shorten the run by this share of it, since it costs the shared work once more. */
const LEAST_GAIN = 0.005;

export interface PackChoice {
  readonly places: number;
  /** Bytes that one pack may take. */
  readonly memory: number;
  readonly largest?: number;
  readonly sharings: Sharings;
  /** Keys of stages that run alone whatever they could share. */
  readonly alone?: ReadonlySet<string>;
  /** Packs at work: their members are among the stages. */
  readonly running?: readonly Pack[];
}

/**
 * Every stage in one pack. Stages share a pack when their kind says so and none waits for another; packs are as few as size
 * and memory allow, then split while the whole run becomes shorter by it.
 * @param stages in topological order, those at work included; stages upstream that are not among them are there
 */
export function packStages(plan: Pick<Plan, 'stages'>, stages: readonly PlannedStage[], choice: PackChoice): Pack[] {
  const priorities = prioritiesOf(plan);
  const work = workOf(plan.stages.values());
  const running = choice.running ?? [];
  const busy = new Set(running.flatMap(pack => pack.map(stage => stage.key)));
  const groups = groupsOf(
    stages.filter(stage => !busy.has(stage.key)),
    depths(stages),
    choice,
  )
    .map(group => group.sort((a, b) => priorities.get(b.key)! - priorities.get(a.key)!))
    .map(group => ({ group, packs: fewest(group, choice) }));
  const length = (pack: Pack): number => together(pack, choice.sharings, stage => work(stage.cost));
  const end = (): number => makespan(schedule([...running, ...groups.flatMap(g => g.packs)], urgentFirst(priorities, busy), length, choice.places));
  const divisible = groups.filter(({ group }) => group.length > 1);
  for (let shorter = divisible.length > 0; shorter;) shorter = splitOne(divisible, end, length, choice);
  return groups.flatMap(g => g.packs);
}

interface Group {
  readonly group: readonly PlannedStage[];
  packs: Pack[];
}

/** Splits the packs of one group, the longest first, if the run then ends sooner. @returns whether it did */
function splitOne(groups: readonly Group[], end: () => number, length: (pack: Pack) => number, choice: PackChoice): boolean {
  const { places } = choice;
  const before = end();
  const longest = ({ packs }: Group): number => Math.max(...packs.map(length));
  for (const group of [...groups].sort((a, b) => longest(b) - longest(a))) {
    const { packs } = group;
    const nextMultiple = (Math.floor(packs.length / places) + 1) * places;
    for (const count of new Set([packs.length + 1, nextMultiple])) {
      if (count > group.group.length) continue;
      group.packs = splitEvenly(group.group, count);
      if (group.packs.every(pack => fits(pack, choice)) && end() < before * (1 - LEAST_GAIN)) return true;
    }
    group.packs = packs;
  }
  return false;
}

/** The fewest packs of nearly equal size in which every one fits. */
function fewest(group: readonly PlannedStage[], choice: PackChoice): Pack[] {
  for (let count = Math.ceil(group.length / (choice.largest ?? LARGEST_PACK)); count < group.length; count++) {
    const packs = splitEvenly(group, count);
    if (packs.every(pack => fits(pack, choice))) return packs;
  }
  return group.map(stage => [stage]); // one that does not fit alone has to try
}

const fits = (pack: Pack, { largest = LARGEST_PACK, memory, sharings }: PackChoice): boolean => pack.length <= largest && packMemory(pack, sharings) <= memory;

/** Bytes that a pack takes, by the estimates of its members. @internal */
export function packMemory(pack: Pack, sharings: Sharings): number {
  const memory = pack.map(stage => sharings.get(stage.key)?.memory ?? { shared: 0, own: 0 });
  return Math.max(...memory.map(m => m.shared)) + memory.reduce((sum, m) => sum + m.own, 0);
}

/** In order, in `count` packs whose sizes differ by one at most. */
function splitEvenly(group: readonly PlannedStage[], count: number): Pack[] {
  return Array.from({ length: count }, (_, i) => group.slice(Math.floor((i * group.length) / count), Math.floor(((i + 1) * group.length) / count)));
}

/** Stages of one sharing group, depth and part of the sweep: none of them can wait for another, nor packs of them for each other in a ring. */
function groupsOf(stages: readonly PlannedStage[], depth: ReadonlyMap<string, number>, { sharings, alone }: PackChoice): PlannedStage[][] {
  const groups = new Map<string, PlannedStage[]>();
  for (const stage of stages) {
    const group = alone?.has(stage.key) === true ? undefined : sharings.get(stage.key)?.group;
    const name = group === undefined ? stage.key : `${depth.get(stage.key)!} ${stage.part ?? 0} ${group}`;
    groups.set(name, [...(groups.get(name) ?? []), stage]);
  }
  return [...groups.values()];
}

/** Stages on the longest chain before each, of those given; 0: its inputs are there. */
function depths(stages: readonly PlannedStage[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { key, upstream } of stages) found.set(key, Math.max(-1, ...Object.values(upstream).map(k => found.get(k) ?? -1)) + 1);
  return found;
}

/** What is at work has its place already. */
function urgentFirst(priorities: ReadonlyMap<string, number>, busy: ReadonlySet<string>): ReadonlyMap<string, number> {
  return busy.size === 0 ? priorities : new Map([...priorities].map(([key, priority]) => [key, busy.has(key) ? Infinity : priority]));
}
