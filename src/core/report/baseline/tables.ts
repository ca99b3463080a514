/** What changed, as tables of cells: shared by the page and the comment on a pull request. */
import type { StageCost } from '../../ablation/kind.ts';
import type { ArmChange, ArmOutcome } from './arms.ts';
import type { ClaimChange, ClaimState } from './claims.ts';
import type { Changes, Conflict, SideSummary, StageSum } from './baseline.ts';
import { decidable } from '../statistics/compare.ts';
import { formatCode, formatCount, formatDelta, formatFlops, formatValue, plural, type Unit } from '../../text/format.ts';
import { left, NONE, right, type Cell, type Table, type Tone } from '../tables/results.ts';
import { FEWEST_SEEDS, type Verdict } from '../statistics/verdict.ts';

const SUBJECT = 'Changes';

/** Both sides at a glance. */
export function summaryTable(changes: Changes): Table {
  const row = (header: string, show: (side: SideSummary) => string) => ({
    header,
    cells: [changes.before === undefined ? NONE : { text: show(changes.before) }, { text: show(changes.now), tone: 'strong' as const }],
  });
  return {
    subject: SUBJECT,
    caption: 'Before and now',
    corner: 'Of the whole report',
    columns: [right('Before'), right('Now')],
    rows: [
      row('Arms measured', side => formatCount(side.arms)),
      row('Claims reproduced', side => String(side.claims.reproduced)),
      row('Claims contradicted', side => String(side.claims.contradicted)),
      row('Claims undecided', ({ claims: { undecided } }) => String(undecided)),
      row('Claims not run', side => String(side.claims.notRun)),
      row('Pairs of arms ordered as in the paper', ({ order }) => `${order.same} of ${decidable(order)}`),
      row('Labelled images', side => formatCount(side.cost.labelledImages)),
      row('Unlabelled images', side => formatCount(side.cost.unlabelledImages)),
      row('Operations', ({ cost }) => formatFlops(cost.flops)),
    ],
    notes: [],
  };
}

/** Undefined when no result contradicts an earlier one. */
export function conflictTable({ conflicts }: Changes, limit = Infinity): Table | undefined {
  if (conflicts.length === 0) return undefined;
  return {
    subject: SUBJECT,
    caption: 'Same stage, other numbers',
    corner: 'Stage',
    columns: [left('First differing number'), right('Before'), right('Now'), left('Engine or code')],
    rows: conflicts.slice(0, limit).map(conflict => ({ header: `${conflict.kind} of ${conflict.place}`, detail: conflict.key.slice(0, 12), cells: conflictCells(conflict) })),
    notes: more(conflicts.length, limit, 'stage'),
  };
}

function conflictCells({ fields, engines, codes }: Conflict): Cell[] {
  const [first, ...others] = fields;
  const causes = [...(engines === undefined ? [] : [`${engines.before}; now ${engines.now}`]), ...(codes === undefined ? [] : [`code ${formatCode(codes.before)}; now ${formatCode(codes.now)}`])];
  return [
    { text: first!.name, ...(others.length === 0 ? {} : { detail: `and ${others.length} more` }) },
    { text: first!.before },
    { text: first!.now, tone: 'disagree' },
    causes.length === 0 ? NONE : { text: causes.join(', ') },
  ];
}

const OUTCOMES: Readonly<Record<ArmOutcome, { readonly text: string; readonly tone: Tone }>> = {
  better: { text: '\u2191 better', tone: 'agree' },
  worse: { text: '\u2193 worse', tone: 'disagree' },
  up: { text: '\u2197 up, undecided', tone: 'plain' },
  down: { text: '\u2198 down, undecided', tone: 'plain' },
  new: { text: '+ new', tone: 'plain' },
  gone: { text: '\u2212 gone', tone: 'disagree' },
  'within noise': { text: '\u2248 within noise', tone: 'muted' },
  'more seeds': { text: 'more seeds', tone: 'muted' },
  'fewer seeds': { text: 'fewer seeds', tone: 'muted' },
  'other seeds': { text: 'other seeds', tone: 'muted' },
};
const RANK: readonly ArmOutcome[] = ['worse', 'better', 'gone', 'new', 'down', 'up', 'within noise', 'fewer seeds', 'other seeds', 'more seeds'];

/** Undefined when no arm changed. What matters most comes first, in the order of the report within that. */
export function armTable({ arms, headline: { unit, label } }: Changes, limit = Infinity): Table | undefined {
  if (arms.length === 0) return undefined;
  const ranked = [...arms].sort((a, b) => RANK.indexOf(a.outcome) - RANK.indexOf(b.outcome));
  return {
    subject: SUBJECT,
    caption: `Arms that changed: ${label}${unit === 'fraction' ? ' (%)' : ''}`,
    corner: 'Arm',
    columns: [left('Change'), right('Before'), right('Now'), right('\u0394'), right('Noise')],
    rows: ranked.slice(0, limit).map(arm => ({ header: arm.label, detail: alsoText(arm), cells: armCells(arm, unit) })),
    notes: more(arms.length, limit, 'arm'),
  };
}

const alsoText = ({ also }: ArmChange): string => (also.length === 0 ? '' : also.length < 3 ? `also ${also.join(', ')}` : `and ${also.length} arms of the same runs`);

function armCells({ outcome, before, now, difference }: ArmChange, unit: Unit): Cell[] {
  const side = (measured: ArmChange['now']): Cell => (measured === undefined ? NONE : { text: formatValue(measured.mean, unit), detail: `n ${measured.n}` });
  return [
    OUTCOMES[outcome],
    side(before),
    side(now),
    difference === undefined ? NONE : { text: formatDelta(difference.value, unit) },
    difference === undefined
      ? NONE
      : { text: `\u00b1 ${formatDelta(difference.noise, unit).replace('+', '')}`, detail: difference.pairs === 0 ? 'no common seed' : plural(difference.pairs, 'common seed') },
  ];
}

const VERDICT_TONES: Readonly<Record<Verdict, Tone>> = {
  reproduced: 'agree',
  contradicted: 'disagree',
  undecided: 'plain',
  interim: 'muted',
  exploratory: 'muted',
  'no verdict': 'muted',
  'not run': 'muted',
};

const CAUSES: Readonly<Record<ClaimChange['cause'], string>> = { results: 'other results', rules: 'declared or judged otherwise', new: 'new claim', gone: 'declared no more' };

/** Undefined when no claim changed. Verdicts come before mere directions. */
export function claimChangeTable({ claims }: Changes, limit = Infinity): Table | undefined {
  if (claims.length === 0) return undefined;
  const directionOnly = (change: ClaimChange): number => (change.before?.verdict === change.now?.verdict ? 1 : 0);
  const ranked = [...claims].sort((a, b) => directionOnly(a) - directionOnly(b));
  return {
    subject: SUBJECT,
    caption: 'Claims whose verdict changed, or the direction of an undecided one',
    corner: 'Claim',
    columns: [left('Before'), left('Now'), left('Because of')],
    rows: ranked
      .slice(0, limit)
      .map(change => ({ header: change.sentence, detail: change.ablation, cells: [stateCell(change.before), stateCell(change.now), { text: CAUSES[change.cause], tone: 'muted' }] })),
    notes: more(claims.length, limit, 'claim'),
  };
}

function stateCell(state: ClaimState | undefined): Cell {
  if (state === undefined) return NONE;
  return { text: state.verdict, tone: VERDICT_TONES[state.verdict], ...(state.direction === undefined ? {} : { detail: state.direction }) };
}

const more = (count: number, limit: number, what: string): string[] => (count > limit ? [`And ${plural(count - limit, `more ${what}`)}.`] : []);

/** `1 arm is better, 2 are worse ...`: what all arms came to. */
export function armSentence({ arms, sameArms }: Changes): string {
  const parts = RANK.flatMap(outcome => {
    const count = arms.filter(arm => arm.outcome === outcome).reduce((total, arm) => total + 1 + arm.also.length, 0);
    return count === 0 ? [] : [`${count} ${outcome.endsWith('seeds') ? `with ${outcome}` : outcome}`];
  });
  if (parts.length === 0) return `No arm changed: ${plural(sameArms, 'arm')} as before.`;
  return `Arms: ${parts.join(', ')}; ${sameArms === 0 ? 'none' : sameArms} as before.`;
}

export function claimSentence({ claims }: Changes): string {
  const verdicts = claims.filter(({ before, now }) => before?.verdict !== now?.verdict).length;
  const directions = claims.length - verdicts;
  if (claims.length === 0) return 'No claim changed its verdict.';
  return `Claims: ${verdicts} with another verdict${directions === 0 ? '' : `, ${directions} undecided as before with another direction`}.`;
}

const costParts = ({ labelledImages, unlabelledImages, flops }: StageCost): string[] => [
  ...(labelledImages === 0 ? [] : [`${formatCount(labelledImages)} labelled images`]),
  ...(unlabelledImages === 0 ? [] : [`${formatCount(unlabelledImages)} unlabelled ones`]),
  ...(flops === 0 ? [] : [formatFlops(flops)]),
];

export function costSentence({ added, removed }: Changes): string {
  const sum = ({ stages, cost }: StageSum): string => [plural(stages, 'stage'), ...costParts(cost)].join(', ');
  const parts = [added.stages === 0 ? '' : `new ${sum(added)}`, removed.stages === 0 ? '' : `no longer part ${sum(removed)}`].filter(Boolean);
  return parts.length === 0 ? 'Cost: the same stages.' : `Cost: ${parts.join('; ')}.`;
}

export const conflictSentence = ({ conflicts }: Changes): string =>
  `${plural(conflicts.length, 'stage')} ${conflicts.length === 1 ? 'has' : 'have'} other numbers though ${conflicts.length === 1 ? 'its key is' : 'their keys are'} the same. ` +
  'A key stands for all that decides a result, so this must not happen on one engine: a record was edited, code changed its semantics without a new revision, or another engine computed it.';

/** What so many comparisons give by chance; undefined for one or none. */
export function chanceNote({ arms }: Changes): string | undefined {
  const compared = arms.filter(({ difference }) => (difference?.pairs ?? 0) >= FEWEST_SEEDS).length;
  return compared < 2 ? undefined : `${compared} arms have other results for enough seeds: by chance alone about one in twenty of them would be better or worse.`;
}
