/** What changed, as tables of cells: shared by the page and the comment on a pull request. */
import type { ArmChange, ArmOutcome, MeasuredSide } from './arms.ts';
import { claimWords, type ClaimChange, type ClaimState } from './claims.ts';
import type { Changes, Conflict, SideSummary } from './baseline.ts';
import { changesVerdict, ranked } from './sentences.ts';
import { capitalised, formatCode, formatCount, formatDelta, formatValue, plural } from '../../text/format.ts';
import { left, NONE, right, withoutEmptyColumns, type Cell, type Table, type Tone } from '../tables/results.ts';
import { claimNoun, verdictWord, type Origin } from '../model/words.ts';
import type { Verdict } from '../statistics/verdict.ts';

const SUBJECT = 'Changes';

const COUNTED: readonly { readonly verdicts: readonly Verdict[]; readonly word: (origin: Origin) => string }[] = [
  { verdicts: ['reproduced'], word: origin => verdictWord('reproduced', origin) },
  { verdicts: ['contradicted'], word: origin => verdictWord('contradicted', origin) },
  { verdicts: ['undecided'], word: () => 'undecided' },
  { verdicts: ['interim', 'exploratory', 'no verdict'], word: () => 'without a verdict' },
  { verdicts: ['not run'], word: () => 'not run' },
];

/** What differs of both sides as a whole; undefined where nothing does, and where there is nothing to compare with. */
export function summaryTable({ before, now }: Changes): Table | undefined {
  if (before === undefined) return undefined;
  const rows = [
    { header: 'Arms measured', before: before.arms, now: now.arms },
    ...(['published', 'own'] as const).flatMap(origin =>
      COUNTED.map(({ verdicts, word }) => {
        const count = ({ claims }: SideSummary): number => claims.filter(claim => claim.origin === origin && verdicts.includes(claim.verdict)).length;
        return { header: `${capitalised(claimNoun(origin, 2))} ${word(origin)}`, before: count(before), now: count(now) };
      }),
    ),
  ].filter(({ before, now }) => before !== now);
  if (rows.length === 0) return undefined;
  return {
    subject: SUBJECT,
    caption: 'Before and now',
    corner: 'Of the whole report',
    columns: [right('Before'), right('Now')],
    rows: rows.map(({ header, before, now }) => ({ header, cells: [{ text: formatCount(before) }, { text: formatCount(now), tone: 'strong' }] })),
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
    { text: first!.now, tone: 'strong' },
    causes.length === 0 ? NONE : { text: causes.join(', ') },
  ];
}

const OUTCOMES: Readonly<Record<ArmOutcome, { readonly text: string; readonly tone: Tone }>> = {
  better: { text: '\u2191 better', tone: 'agree' },
  worse: { text: '\u2193 worse', tone: 'disagree' },
  new: { text: '+ new', tone: 'plain' },
  gone: { text: '\u2212 gone', tone: 'strong' },
  'within noise': { text: '\u2248 within noise', tone: 'muted' },
  'other results': { text: 'other results', tone: 'plain' },
  'more seeds': { text: 'more seeds', tone: 'muted' },
  'fewer seeds': { text: 'fewer seeds', tone: 'muted' },
  'other seeds': { text: 'other seeds', tone: 'muted' },
};

/** Undefined when no arm changed. What matters most comes first, in the order of the report within that. */
export function armTable({ arms }: Changes, limit = Infinity): Table | undefined {
  if (arms.length === 0) return undefined;
  const several = new Set(arms.map(({ measure }) => measure.name)).size > 1;
  return withoutEmptyColumns({
    subject: SUBJECT,
    caption: several ? 'Arms that changed' : `Arms that changed: ${arms[0]!.measure.label}${arms[0]!.measure.unit === 'fraction' ? ' (%)' : ''}`,
    corner: 'Arm',
    columns: [left('Change'), right('Before'), right('Now'), right('\u0394'), right('Noise')],
    rows: ranked(arms)
      .slice(0, limit)
      .map(arm => ({ header: arm.label, detail: alsoText(arm), cells: armCells(arm) })),
    notes: more(arms.length, limit, 'arm'),
  });
}

const alsoText = ({ also }: ArmChange): string => (also.length === 0 ? '' : also.length < 3 ? `also ${also.join(', ')}` : `and ${also.length} arms of the same runs`);

function armCells({ outcome, before, now, difference, measure: { unit } }: ArmChange): Cell[] {
  const side = (measured: ArmChange['now']): Cell => (measured === undefined ? NONE : { text: formatValue(measured.mean, unit), detail: seedsOf(measured) });
  return [
    OUTCOMES[outcome],
    side(before),
    side(now),
    difference === undefined ? NONE : { text: formatDelta(difference.value, unit), detail: plural(difference.pairs, 'common seed') },
    difference?.noise === undefined ? NONE : { text: `\u00b1 ${formatDelta(difference.noise, unit).replace('+', '')}` },
  ];
}

const seedsOf = ({ perSeed, counted }: MeasuredSide): string => (perSeed.length === 1 ? `seed ${perSeed[0]!.seed}` : plural(counted, 'seed'));

const VERDICT_TONES: Readonly<Record<Verdict, Tone>> = {
  reproduced: 'agree',
  contradicted: 'disagree',
  undecided: 'plain',
  interim: 'muted',
  exploratory: 'muted',
  'no verdict': 'muted',
  'not run': 'muted',
};

const CAUSES: Readonly<Record<ClaimChange['cause'], string>> = { results: 'other results', rules: 'declared or judged otherwise', new: 'new', gone: 'declared no more' };

/** Undefined when no claim changed. Verdicts come before mere directions. */
export function claimChangeTable({ claims }: Changes, limit = Infinity): Table | undefined {
  if (claims.length === 0) return undefined;
  const words = claimWords(claims);
  const first = [...claims.filter(changesVerdict), ...claims.filter(change => !changesVerdict(change))];
  return withoutEmptyColumns({
    subject: SUBJECT,
    caption: `${capitalised(words.many)} that changed`,
    corner: capitalised(words.one),
    columns: [left('Before'), left('Now'), left('Because of')],
    rows: first
      .slice(0, limit)
      .map(change => ({ header: change.sentence, detail: change.ablation, cells: [stateCell(change.before), stateCell(change.now), { text: CAUSES[change.cause], tone: 'muted' }] })),
    notes: more(claims.length, limit, words.one, words.many),
  });
}

function stateCell(state: ClaimState | undefined): Cell {
  if (state === undefined) return NONE;
  return { text: verdictWord(state.verdict, state.origin), tone: VERDICT_TONES[state.verdict], ...(state.direction === undefined ? {} : { detail: state.direction }) };
}

const more = (count: number, limit: number, one: string, many = `${one}s`): string[] => (count > limit ? [`And ${plural(count - limit, `more ${one}`, `more ${many}`)}.`] : []);
