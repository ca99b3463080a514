/** What changed, in sentences: shared by the page and the comment on a pull request. */
import type { StageCost } from '../../ablation/kind.ts';
import { armRule, type ArmChange, type ArmOutcome, type MeasuredSide } from './arms.ts';
import { claimWords, type ClaimChange, type ClaimState } from './claims.ts';
import { hasChanges, type Changes, type StageSum } from './baseline.ts';
import { formatCount, formatFlops, formatValue, plural, type Unit } from '../../text/format.ts';
import { mean } from '../statistics/statistics.ts';
import { verdictWord } from '../model/words.ts';
import type { Verdict } from '../statistics/verdict.ts';

/** Arms, claims or seeds that are named one by one; of more only how many there are. */
const NAMED = { arms: 2, gone: 4, claims: 2, seeds: 3 } as const;

/** Arms by what matters most. */
const RANK: readonly ArmOutcome[] = ['worse', 'better', 'gone', 'new', 'other results', 'within noise', 'fewer seeds', 'other seeds', 'more seeds'];

export const ranked = (arms: readonly ArmChange[]): ArmChange[] => [...arms].sort((a, b) => RANK.indexOf(a.outcome) - RANK.indexOf(b.outcome));

/** All that changed for a reader, in one line. */
export function changeSentence(changes: Changes): string {
  const { before, now, baseline } = changes;
  if (before === undefined) return `All of it is new, as ${baseline} has no report of this profile: ${plural(now.arms, 'arm')}, ${plural(changes.runs.added, 'run')}.`;
  if (!hasChanges(changes)) return `Nothing changed: the same ${plural(now.arms, 'arm')}, results and verdicts.`;
  return [runsText(changes), verdictText(changes), armsText(changes)].filter(Boolean).join(' ');
}

function runsText({ runs: { added, removed, replaced }, arms, added: more, removed: fewer, conflicts }: Changes): string {
  const counted = (sign: string, count: number, what: string): string[] => (count === 0 ? [] : [`${sign}${plural(count, what)}`]);
  const runs = [...counted('+', added, 'run'), ...counted('\u2212', removed, 'run'), ...(replaced === 0 ? [] : [`${plural(replaced, 'run')} replaced`])];
  if (runs.length > 0) return `${runs.join(', ')}${added + removed + arms.length === 0 ? ', with the same numbers' : ''}.`;
  const records = [
    ...counted('+', more.stages, 'record'),
    ...counted('\u2212', fewer.stages, 'record'),
    ...(conflicts.length === 0 ? [] : [`${plural(conflicts.length, 'record')} with other numbers`]),
  ];
  return `${['No run changed', ...records].join(', ')}.`;
}

/** What all declared seeds decide. */
const DECIDED: readonly Verdict[] = ['reproduced', 'contradicted', 'undecided'];
const decided = (state: ClaimState | undefined): Verdict | undefined => (state !== undefined && DECIDED.includes(state.verdict) ? state.verdict : undefined);

export const changesVerdict = ({ before, now }: ClaimChange): boolean => decided(before) !== decided(now);

function verdictText({ claims, before, now }: Changes): string {
  if (before!.claims.length + now.claims.length === 0) return '';
  const changed = claims.filter(changesVerdict);
  const others = claims.filter(change => !changesVerdict(change));
  const ways = [...new Set(others.map(wayOf))].map(way => {
    const count = others.filter(change => wayOf(change) === way).length;
    return `${count} ${count === 1 ? 'is' : 'are'} ${way}`;
  });
  const rest = ways.length === 0 ? '.' : `; of the ${claimWords(others).many} without one, ${ways.join(', ')}.`;
  if (changed.length === 0) return `No verdict changes${rest}`;
  return `${changed.length === 1 ? '1 verdict changes' : `${changed.length} verdicts change`}: ${changed.length <= NAMED.claims ? changed.map(toldClaim).join('; ') : transitions(changed)}${rest}`;
}

/** How a claim changed that had no verdict and has none. */
function wayOf({ before, now }: ClaimChange): string {
  if (before === undefined) return 'new';
  if (now === undefined) return 'declared no more';
  if (before.verdict === 'not run') return 'compared for the first time';
  if (now.verdict === 'not run') return 'compared no more';
  return before.direction === now.direction ? 'judged otherwise' : 'pointing elsewhere';
}

function toldClaim({ sentence, before, now }: ClaimChange): string {
  const claim = `\u201c${sentence.replace(/\.$/, '')}\u201d`;
  if (before === undefined) return `${claim} is new, and ${word(now!)}`;
  return now === undefined ? `${claim} is declared no more (${word(before)} before)` : `${claim} is ${word(now)} (${word(before)} before)`;
}

const word = ({ verdict, origin }: ClaimState): string => verdictWord(verdict, origin);

/** `3 from interim to reproduced`. */
function transitions(changed: readonly ClaimChange[]): string {
  const way = ({ before, now }: ClaimChange): string =>
    before === undefined ? `new and ${word(now!)}` : now === undefined ? `declared no more, ${word(before)} before` : `from ${word(before)} to ${word(now)}`;
  return [...new Set(changed.map(way))].map(each => `${changed.filter(change => way(change) === each).length} ${each}`).join('; ');
}

/** Those that are gone stand in the warning. */
function armsText({ arms }: Changes): string {
  const there = ranked(arms.filter(({ outcome }) => outcome !== 'gone'));
  if (there.length <= NAMED.arms) return there.map(arm => `${toldArm(arm)}.`).join(' ');
  const counts = RANK.flatMap(outcome => {
    const count = there.filter(arm => arm.outcome === outcome).reduce((total, arm) => total + 1 + arm.also.length, 0);
    return count === 0 ? [] : [`${count} ${outcome === 'other results' || outcome.endsWith('seeds') ? `with ${outcome}` : outcome}`];
  });
  const [largest] = [...there].sort((a, b) => shiftOf(b) - shiftOf(a));
  const most = shiftOf(largest!) > 0 ? ` The largest change: ${toldArm(largest!)}.` : '';
  return `Arms: ${counts.join(', ')}.${most}`;
}

/** By how much an arm's mean moved, whatever moved it; 0 where one side has none. */
export const shiftOf = ({ before, now }: ArmChange): number => (before === undefined || now === undefined ? 0 : Math.abs(now.mean - before.mean));

function toldArm({ label, also, outcome, before, now, difference, measure: { unit } }: ArmChange): string {
  const name = `${label.replace(': ', ', ')}${also.length === 0 ? '' : ` (and ${plural(also.length, 'arm')} with the same runs)`}`;
  const values = (of: MeasuredSide['perSeed']): string =>
    of.length > NAMED.seeds
      ? `mean of ${of.length} seeds = ${formatValue(mean(of.map(({ value }) => value)), unit)}`
      : of.map(({ seed, value }) => `seed ${seed} = ${formatValue(value, unit)}`).join(', ');
  if (before === undefined) return `${name}: new, ${sideText(now!, unit)}`;
  const [added, left, common] = [without(now!, before), without(before, now!), now!.perSeed.filter(one => has(before, one))];
  if (outcome === 'more seeds') return `${name}: ${values(added)} (${values(common)})`;
  if (outcome === 'fewer seeds') return `${name}: no longer ${values(left)} (${values(common)})`;
  if (outcome === 'other seeds') return `${name}: ${values(added)} in place of ${values(left)}`;
  const earlier = added.length + left.length === 0 ? formatValue(before.mean, unit) : sideText(before, unit);
  return `${name}: ${sideText(now!, unit)} (${earlier} before)${difference?.noise === undefined ? '' : `, ${outcome}`}`;
}

type OfSeed = MeasuredSide['perSeed'][number];
const has = ({ perSeed }: MeasuredSide, { seed }: OfSeed): boolean => perSeed.some(other => other.seed === seed);
const without = (side: MeasuredSide, other: MeasuredSide): OfSeed[] => side.perSeed.filter(one => !has(other, one));
const sideText = ({ perSeed: [first, ...others], counted, mean: value }: MeasuredSide, unit: Unit): string =>
  `${others.length === 0 ? `seed ${first!.seed}` : `mean of ${plural(counted, 'seed')}`} = ${formatValue(value, unit)}`;

/** What a reviewer must not miss: what the baseline had and this report has not, and numbers that contradict earlier ones. */
export const warningSentences = (changes: Changes): string[] => [...goneSentence(changes), ...(changes.conflicts.length === 0 ? [] : [conflictSentence(changes)])];

function goneSentence({ arms, vanished, baseline, ahead }: Changes): string[] {
  const gone = arms.filter(({ outcome }) => outcome === 'gone');
  const count = gone.reduce((total, { also }) => total + 1 + also.length, 0);
  if (count + vanished === 0) return [];
  const parts = [count === 0 ? '' : plural(count, 'arm'), vanished === 0 ? '' : plural(vanished, 'record')].filter(Boolean);
  const named = [...gone.slice(0, NAMED.gone).map(toldGone), ...(gone.length > NAMED.gone ? [`${gone.length - NAMED.gone} more`] : [])];
  return [
    `${parts.join(' and ')} of ${baseline} ${count + vanished === 1 ? 'is' : 'are'} gone${named.length === 0 ? '' : `: ${named.join('; ')}`}.${ahead ? ' It has commits that are not in this checkout, which may have added them: merge it, and compare again.' : ''}`,
  ];
}

function toldGone({ label, also, declared, renamed }: ArmChange): string {
  const why = renamed !== undefined ? `its runs are those of ${renamed.replace(': ', ', ')} now` : declared ? 'declared, but without a result' : 'declared no more';
  return `${label.replace(': ', ', ')}${also.length === 0 ? '' : ` and ${plural(also.length, 'arm')} with the same runs`} (${why})`;
}

const conflictSentence = ({ conflicts }: Pick<Changes, 'conflicts'>): string =>
  `${plural(conflicts.length, 'stage')} ${conflicts.length === 1 ? 'has' : 'have'} other numbers though ${conflicts.length === 1 ? 'its key is' : 'their keys are'} the same. ` +
  'A key stands for all that decides a result, so this must not happen on one engine: a record was edited, code changed its semantics without a new revision, or another engine computed it.';

const costParts = ({ labelledImages, unlabelledImages, flops }: StageCost): string[] => [
  ...(labelledImages === 0 ? [] : [`${formatCount(labelledImages)} labelled images`]),
  ...(unlabelledImages === 0 ? [] : [`${formatCount(unlabelledImages)} unlabelled ones`]),
  ...(flops === 0 ? [] : [formatFlops(flops)]),
];

/** Undefined where the stages are the same. */
export function costSentence({ added, removed }: Changes): string | undefined {
  const sum = ({ stages, cost }: StageSum): string => [plural(stages, 'stage'), ...costParts(cost)].join(', ');
  const parts = [added.stages === 0 ? '' : `new ${sum(added)}`, removed.stages === 0 ? '' : `no longer part ${sum(removed)}`].filter(Boolean);
  return parts.length === 0 ? undefined : `Cost: ${parts.join('; ')}.`;
}

/** Undefined where they are the same on both sides. */
export function adoptedSentence({ adopted: { added, removed } }: Changes): string | undefined {
  const parts = [...(added === 0 ? [] : [`${added} new`]), ...(removed === 0 ? [] : [`${removed} gone`])];
  return parts.length === 0 ? undefined : `Numbers from elsewhere, which decide nothing: ${parts.join(', ')}.`;
}

/** What so many comparisons give by chance; undefined for one or none. */
function chanceNote({ arms }: Changes): string | undefined {
  const compared = arms.filter(({ difference }) => difference?.noise !== undefined).length;
  return compared < 2 ? undefined : `${compared} arms have other results for all declared seeds: by chance alone about one in twenty of them would be better or worse.`;
}

/** The small print of a comparison; none where nothing was judged. */
export const judgedNotes = (changes: Changes): string[] => (changes.arms.some(({ difference }) => difference?.noise !== undefined) ? [armRule, chanceNote(changes) ?? ''].filter(Boolean) : []);
