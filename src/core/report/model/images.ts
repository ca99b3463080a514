/** How much the arms of a table saw in training: one line for all, and a note at arms that saw less than one that they are compared with. */
import type { Study } from '../../ablation/declaration.ts';
import type { StageCost } from '../../ablation/kind.ts';
import { formatCount } from '../../text/format.ts';
import type { ReportRecord } from '../records/records.ts';
import type { ClaimResult } from './claims.ts';
import type { Baseline } from './headroom.ts';
import { placeRecords, replicateCost, type Placed } from './usage.ts';

/** An arm of the table with its records. */
interface SeenArm {
  readonly name: string;
  readonly label: string;
  readonly placed: readonly Placed[];
}

/** Of the arm's own stages, and of those that it rests on, such as a shared teacher. */
interface Seen {
  readonly name: string;
  readonly label: string;
  readonly own: StageCost;
  readonly rests: StageCost;
  /** Of the stages that it rests on; none where there are none. */
  readonly roles: readonly string[];
}

function seenBy({ report: { ownRoles } }: Study, finalRole: string, name: string, label: string, placed: readonly Placed[]): Seen | undefined {
  const isOwn = (role: string): boolean => ownRoles.includes(role);
  const own = replicateCost(placed, finalRole, isOwn);
  const rests = replicateCost(placed, finalRole, role => !isOwn(role));
  if (own === undefined || rests === undefined) return undefined;
  return { name, label, own, rests, roles: [...new Set(placed.map(({ role }) => role).filter(role => !isOwn(role)))].sort() };
}

const countText = ({ labelledImages, unlabelledImages }: StageCost): string => `${formatCount(labelledImages)} + ${formatCount(unlabelledImages)}`;
const total = ({ labelledImages, unlabelledImages }: StageCost): number => labelledImages + unlabelledImages;

/** Groups of arms that saw the same, up to which each is told apart; above, from the fewest to the most. */
const MOST_GROUPS = 3;

interface ImagesInput {
  readonly study: Study;
  /** Of the stage that gives the number by which arms are compared. */
  readonly role: string;
  readonly ablation: { readonly name: string; readonly default: string };
  readonly arms: readonly SeenArm[];
  readonly claims: readonly ClaimResult[];
  readonly baselines: readonly Baseline[];
  readonly records: readonly ReportRecord[];
}

export interface TableImages {
  /**
   * `Images seen in training, with + without labels: MAE baseline: 128,000 + 876,544; each other arm: 128,000 + 438,272 (teacher 0 + 876,544).` Every epoch
   * counted, of one seed, of arms that are measured; a baseline of another table comes last. Undefined where no measured arm saw any.
   */
  readonly line: string | undefined;
  /** By arm, a note at each that saw fewer images in its own training than one that it is compared with. What teachers saw counts for neither. */
  readonly fewer: ReadonlyMap<string, string>;
}

export function tableImages({ study, role, ablation, arms, claims, baselines, records }: ImagesInput): TableImages {
  const seen = arms.flatMap(({ name, label, placed }) => seenBy(study, role, name, label, placed) ?? []);
  const elsewhere = baselines.flatMap(({ ablation: of, arm, label }) => (of === ablation.name ? [] : (seenBy(study, role, arm, label, placeRecords(records, of).get(arm) ?? []) ?? [])));
  return { line: seen.every(({ own, rests }) => total(own) + total(rests) === 0) ? undefined : imagesLine(seen, elsewhere), fewer: fewerImages(seen, comparedArms(ablation, seen, claims, baselines)) };
}

function imagesLine(seen: readonly Seen[], elsewhere: readonly Seen[]): string {
  const groups = groupsOf(seen);
  const arms = groups.length > MOST_GROUPS ? [rangeText(seen)] : groups.map((group, i) => `${namesOf(group, i, groups)}: ${seenText(group[0]!)}`);
  const baselines = groupsOf(elsewhere).map(group => `the baseline${group.length === 1 ? '' : 's'} ${group.map(({ label }) => label).join(' and ')}: ${seenText(group[0]!)}`);
  return `Images seen in training, with + without labels: ${[...arms, ...baselines].join('; ')}.`;
}

function seenText({ own, rests, roles }: Seen): string {
  if (roles.length === 0) return countText(own);
  // A file of weights was trained elsewhere.
  return `${countText(own)} (${roles.join(', ')} ${total(rests) === 0 ? 'not trained here' : countText(rests)})`;
}

/** Arms that saw the same, smallest group first; of equal ones the first. */
function groupsOf(seen: readonly Seen[]): Seen[][] {
  const groups = new Map<string, Seen[]>();
  for (const arm of seen) groups.set(seenText(arm), [...(groups.get(seenText(arm)) ?? []), arm]);
  return [...groups.values()].sort((a, b) => a.length - b.length);
}

/** Up to two arms are named; of more those that are left where all others are named. */
function namesOf(group: readonly Seen[], i: number, groups: readonly (readonly Seen[])[]): string {
  const [first, second] = group;
  if (second === undefined) return first!.label;
  if (groups.length === 1) return 'each arm';
  if (i === groups.length - 1 && groups.slice(0, i).every(({ length }) => length <= 2)) return 'each other arm';
  return group.length === 2 ? `${first!.label} and ${second.label}` : `${group.length} arms such as ${first!.label}`;
}

/** Of many kinds of arms. */
function rangeText(seen: readonly Seen[]): string {
  const resting = seen.filter(({ roles }) => roles.length > 0);
  const roles = [...new Set(resting.flatMap(arm => arm.roles))].sort();
  const rests = resting.length === 0 ? '' : ` (${roles.join(', ')} ${range(resting.map(arm => arm.rests))})`;
  return `arms ${range(seen.map(({ own }) => own))}${rests}`;
}

function range(costs: readonly StageCost[]): string {
  const between = (counts: readonly number[]): string => {
    const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
    return fewest === most ? formatCount(most) : `${formatCount(fewest)} to ${formatCount(most)}`;
  };
  return `${between(costs.map(({ labelledImages }) => labelledImages))} + ${between(costs.map(({ unlabelledImages }) => unlabelledImages))}`;
}

/** Batches that do not divide an epoch give arms of one recipe a few images more or less. */
const SAME = 0.01;

/**
 * Every arm with the default arm and, where the table has one baseline, with that, and the two of each comparison of a claim within the table; each
 * pair both ways.
 */
function comparedArms(ablation: ImagesInput['ablation'], seen: readonly Seen[], claims: readonly ClaimResult[], baselines: readonly Baseline[]): (readonly [string, string])[] {
  const [baseline, another] = baselines.filter(({ ablation: of }) => of === ablation.name);
  const references = [ablation.default, ...(baseline === undefined || another !== undefined ? [] : [baseline.arm])];
  const within = claims.flatMap(({ pairs }) => pairs).filter(({ arm, than }) => arm.ablation === ablation.name && than.ablation === ablation.name);
  const pairs = [...seen.flatMap(({ name }) => references.map(reference => [name, reference] as const)), ...within.map(({ arm, than }) => [arm.arm, than.arm] as const)];
  return pairs.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]);
}

function fewerImages(seen: readonly Seen[], compared: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  const arms = new Map(seen.map(arm => [arm.name, arm]));
  const most = new Map<string, Seen>();
  for (const [name, than] of compared) {
    const [arm, other] = [arms.get(name), arms.get(than)];
    if (arm === undefined || other === undefined || total(arm.own) >= (1 - SAME) * total(other.own)) continue;
    if (total(other.own) > total((most.get(name) ?? arm).own)) most.set(name, other);
  }
  const [only, ...others] = new Set([...most.values()].map(({ label }) => label));
  const note = `Saw fewer images in training than ${others.length === 0 ? only! : 'an arm'} that it is compared with.`;
  return new Map([...most.keys()].map(name => [name, note]));
}
