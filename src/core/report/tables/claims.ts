/** Tables of claims: all of them for the head of the report, and those of one ablation with every comparison. */
import { survives, type AdjustedP, type ClaimResult, type PairResult, type PublishedOutcome } from '../model/claims.ts';
import { formatDelta, formatPValue, formatPublishedDelta, plural, type Unit } from '../../text/format.ts';
import type { AblationReport, Report } from '../model/model.ts';
import { multiplicitySentences } from '../model/multiplicity.ts';
import { left, NONE, right, type Cell, type Table, type TableRow, type Tone } from './results.ts';
import { ablationAnchor, claimAnchor } from './anchors.ts';
import { ALPHA, type Judgement, type Verdict } from '../statistics/verdict.ts';

const COLUMNS = [left('Verdict'), right('Measured \u0394'), right('Needed'), right('p,\u00a0t\u00a0test'), right('p,\u00a0sign-flip'), right('Published \u0394')];

/** One row per claim under the name of its ablation, each with the comparison that decides about it. */
export function claimOverview(report: Report): Table {
  return {
    subject: 'Claims of the paper',
    caption: 'Every claim and its verdict',
    corner: 'Claim',
    columns: COLUMNS,
    rows: report.ablations.flatMap(({ name, title, table, claims }): TableRow[] =>
      claims.length === 0
        ? []
        : [{ header: `${table}: ${title}`, href: ablationAnchor(name), group: true, cells: [] }, ...claims.map(claim => ({ ...claimRow(claim, report.headline.unit), href: claimAnchor(claim) }))],
    ),
    notes: [...report.claimRule, ...testNotes(report), ...multiplicityNotes(report), ...publishedNotes(report.ablations.flatMap(ablation => ablation.claims))],
  };
}

/** The claims of one ablation; those of several comparisons with a row for each. */
export function claimTable(report: Report, ablation: AblationReport): Table | undefined {
  if (ablation.claims.length === 0) return undefined;
  const { unit } = report.headline;
  return {
    subject: ablation.title,
    caption: 'Claims',
    corner: 'Claim',
    columns: COLUMNS,
    rows: ablation.claims.flatMap((claim): TableRow[] => {
      const row = { ...claimRow(claim, unit), id: claimAnchor(claim) };
      const only = claim.pairs.length === 1 ? claim.pairs[0] : undefined;
      if (only !== undefined) return [{ ...row, detail: [comparisonText(only), row.detail, perSeedText(only, unit)].filter(Boolean).join('. ') }];
      return [{ ...row, marked: true }, ...claim.pairs.map(pair => pairRow(pair, unit))];
    }),
    notes: [],
  };
}

/** The weakest comparison stands for the claim, which needs them all. */
function claimRow(claim: ClaimResult, unit: Unit): TableRow {
  const weakest = weakestPair(claim.pairs);
  const many = claim.pairs.length > 1;
  const detail = [claim.source, claim.note].filter(text => text !== undefined).join('. ');
  if (weakest === undefined) return { header: claim.sentence, detail, cells: COLUMNS.map(() => NONE) };
  const [measured, needed] = numberCells(weakest, unit);
  return {
    header: claim.sentence,
    detail,
    cells: [
      verdictCell(claim, missingArms(claim.pairs), many ? undefined : weakest.seedsNeeded),
      many && weakest.delta !== undefined ? { ...measured, detail: `${measured.detail ?? ''}, weakest of\u00a0${claim.pairs.length}` } : measured,
      needed,
      adjustedCell(claim.tTest, claim.verdict === 'reproduced' && !survives(claim.tTest)),
      adjustedCell(claim.signFlip),
      publishedCell(claim.published, many ? smallestGap(claim.pairs) : weakest.published?.gap),
    ],
  };
}

/** How far a comparison is from what it needs. */
const excess = ({ type, delta, margin }: PairResult): number => (delta === undefined ? Infinity : type === 'greater' ? delta - margin : delta + margin);

const weakestPair = (pairs: readonly PairResult[]): PairResult | undefined =>
  pairs.reduce<PairResult | undefined>((weakest, pair) => (weakest === undefined || excess(pair) < excess(weakest) ? pair : weakest), undefined);

function smallestGap(pairs: readonly PairResult[]): number | undefined {
  const gaps = pairs.flatMap(pair => pair.published?.gap ?? []);
  return gaps.length === 0 ? undefined : Math.min(...gaps);
}

const pairRow = (pair: PairResult, unit: Unit): TableRow => ({
  header: comparisonText(pair),
  detail: perSeedText(pair, unit),
  part: true,
  cells: [verdictCell(pair, missingArms([pair]), pair.seedsNeeded), ...numberCells(pair, unit), publishedCell(pair.published?.outcome, pair.published?.gap)],
});

const comparisonText = ({ type, arm, than }: PairResult): string => `${arm.label} ${type === 'greater' ? 'above' : 'not below'} ${than.label}`;

/** One difference is the mean itself. */
const perSeedText = ({ perSeed }: PairResult, unit: Unit): string => (perSeed.length < 2 ? '' : `Per seed: ${perSeed.map(({ delta }) => formatDelta(delta, unit)).join(', ')}`);

/** Labels of arms that no seed has, of comparisons that could not be made. */
function missingArms(pairs: readonly PairResult[]): string[] {
  return [...new Set(pairs.flatMap(({ arm, than, missing }) => [missing.includes('arm') ? [arm.label] : [], missing.includes('than') ? [than.label] : []]).flat())];
}

const VERDICTS: Readonly<Record<Verdict, { readonly text: string; readonly tone: Tone }>> = {
  reproduced: { text: '\u2713 reproduced', tone: 'agree' },
  contradicted: { text: '\u2715 contradicted', tone: 'disagree' },
  undecided: { text: '\u2248 undecided', tone: 'plain' },
  'not run': { text: '\u00b7 not run', tone: 'muted' },
};

function verdictCell({ verdict, direction }: Pick<Judgement, 'verdict' | 'direction'>, missing: readonly string[], seedsNeeded: number | undefined): Cell {
  const details = [
    direction ?? '',
    seedsNeeded === undefined ? '' : `${seedsNeeded} seeds would decide`,
    verdict === 'not run' ? (missing.length === 0 ? 'no seed in common' : `missing: ${missing.join('; ')}`) : '',
  ].filter(Boolean);
  return { ...VERDICTS[verdict], ...(details.length === 0 ? {} : { detail: details.join('; ') }) };
}

const pCell = (p: number | undefined): Cell => (p === undefined ? NONE : { text: formatPValue(p) });

/** @param lost reproduced, but not with the correction */
const adjustedCell = (p: AdjustedP | undefined, lost = false): Cell =>
  p === undefined ? NONE : { text: formatPValue(p.value), detail: `Holm ${formatPValue(p.adjusted)}`, ...(lost ? { sign: '\u2021' } : {}) };

function numberCells({ delta, standardError, bounds, n, type, margin, pValue, signFlipPValue }: PairResult, unit: Unit): [Cell, Cell, Cell, Cell] {
  const threshold = formatDelta(type === 'greater' ? margin : -margin, unit);
  const needed: Cell = { text: `>\u00a0${threshold}`, tone: 'muted' };
  if (delta === undefined || standardError === undefined) return [NONE, needed, NONE, NONE];
  const error = bounds === undefined ? `\u00b1\u00a0${formatDelta(standardError, unit).replace('+', '')}` : `[${formatDelta(bounds.low, unit)},\u00a0${formatDelta(bounds.high, unit)}]`;
  return [{ text: formatDelta(delta, unit), detail: `${error}, n\u00a0${n}` }, needed, pCell(pValue), pCell(signFlipPValue)];
}

const OUTCOMES: Readonly<Record<PublishedOutcome, { readonly detail: string; readonly tone: Tone }>> = {
  supports: { detail: 'supports it', tone: 'plain' },
  contradicts: { detail: '\u2715 the paper\u2019s own table disagrees', tone: 'disagree' },
  'within noise': { detail: 'within the paper\u2019s noise', tone: 'muted' },
};

function publishedCell(outcome: PublishedOutcome | undefined, gap: number | undefined): Cell {
  if (gap === undefined) return NONE;
  return outcome === undefined ? { text: formatPublishedDelta(gap), detail: 'not all published' } : { text: formatPublishedDelta(gap), ...OUTCOMES[outcome] };
}

/** What the p-values are of; nothing while there are none. */
function testNotes({ comparisons }: Report): string[] {
  if (comparisons.tested === 0) return [];
  return [
    'p: one-sided, of a difference beyond the one needed: by the paired t test, and by the exact sign-flip test, which does not suppose that differences are normally distributed. ' +
      'A claim has the largest p of its comparisons, as it needs them all; Holm: the same corrected for the number of claims.',
  ];
}

/** What testing many comparisons at once means for them. */
function multiplicityNotes({ comparisons: c, multiplicity }: Report): string[] {
  const counts =
    c.tested === 0
      ? `${plural(c.total, 'distinct comparison')}; none has the seeds for a test, so nothing is decided.`
      : `${plural(c.total, 'distinct comparison')}, ${c.tested} with seeds enough for a test, each at 5 %: ${c.reproduced} reproduced, ${c.contradicted} contradicted. By chance alone about ${formatExpected(ALPHA * c.tested)} of them would be reproduced.`;
  return [counts, ...multiplicitySentences(multiplicity)];
}

const formatExpected = (count: number): string => (count < 1 ? '1 or none' : String(Math.round(count)));

const publishedNotes = (claims: readonly ClaimResult[]): string[] =>
  claims.some(claim => claim.published !== undefined) ? ['Published \u0394: the gap in the paper\u2019s own table, for claims of several comparisons the smallest.'] : [];
