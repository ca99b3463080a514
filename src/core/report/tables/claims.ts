/** Tables of claims: all of them for the head of the report, and those of one ablation with every comparison. */
import type { ClaimResult, PairResult, PublishedOutcome } from '../model/claims.ts';
import { formatDelta, formatPValue, formatPublishedDelta, listed, plural } from '../../text/format.ts';
import type { AblationReport, Report } from '../model/model.ts';
import { claimsCaption, claimsCorner, claimsTitle, verdictWord } from '../model/words.ts';
import { left, NONE, right, type Cell, type Table, type TableRow, type Tone } from './results.ts';
import { ablationAnchor, claimAnchor } from './anchors.ts';
import { FEWEST_SEEDS, type Verdict } from '../statistics/verdict.ts';

const COLUMNS = [left('Verdict'), right('Measured \u0394'), right('Needed'), right('p')];
const PUBLISHED = right('Published \u0394');

/** Whether there is a published difference to show. */
const hasPublished = (claims: readonly ClaimResult[]): boolean => claims.some(({ pairs }) => pairs.some(({ published }) => published !== undefined));

/** One row per claim under the name of its ablation, each with the comparison that decides about it. */
export function claimOverview(report: Report): Table {
  const all = report.ablations.flatMap(({ claims }) => claims);
  const published = hasPublished(all);
  return {
    subject: claimsTitle(all),
    caption: `Every ${claimsCorner(all).toLowerCase()} and its verdict`,
    corner: claimsCorner(all),
    columns: published ? [...COLUMNS, PUBLISHED] : COLUMNS,
    rows: report.ablations.flatMap(({ name, title, table, claims }): TableRow[] =>
      claims.length === 0
        ? []
        : [{ header: `${table}: ${title}`, href: ablationAnchor(name), group: true, cells: [] }, ...claims.map(claim => ({ ...claimRow(claim, published), href: claimAnchor(claim) }))],
    ),
    notes: [...report.claimRule, ...claimNotes(all)],
  };
}

/** The claims of one ablation; those of several comparisons with a row for each. */
export function claimTable({ title, claims }: AblationReport): Table | undefined {
  if (claims.length === 0) return undefined;
  const published = hasPublished(claims);
  return {
    subject: title,
    caption: claimsCaption(claims),
    corner: claimsCorner(claims),
    columns: published ? [...COLUMNS, PUBLISHED] : COLUMNS,
    rows: claims.flatMap((claim): TableRow[] => {
      const row = { ...claimRow(claim, published), id: claimAnchor(claim) };
      if (claim.pairs.length === 1) return [{ ...row, detail: [comparisonText(claim.deciding), row.detail, perSeedText(claim.deciding), exploratoryText(claim.deciding)].filter(Boolean).join('. ') }];
      return [{ ...row, marked: true }, ...claim.pairs.map(pair => pairRow(pair, published))];
    }),
    notes: [],
  };
}

/** The weakest comparison stands for the claim, which needs them all. @param published whether there is a column for it */
function claimRow(claim: ClaimResult, published: boolean): TableRow {
  const { deciding, pairs, p, sentence } = claim;
  const measured = measuredCell(deciding);
  return {
    header: sentence,
    detail: [claim.source, claim.note].filter(text => text !== undefined).join('. '),
    cells: [
      verdictCell(claim),
      pairs.length > 1 && deciding.delta !== undefined ? { ...measured, detail: [measured.detail, `weakest of\u00a0${pairs.length}`].filter(Boolean).join(', ') } : measured,
      neededCell(deciding),
      p === undefined ? NONE : { text: formatPValue(p.adjusted), detail: `alone ${formatPValue(p.value)}` },
      ...(published ? [publishedCell(claim.published, deciding.published?.gap)] : []),
    ],
  };
}

/** The verdict is the claim's: a part has none of its own. */
const pairRow = (pair: PairResult, published: boolean): TableRow => ({
  header: comparisonText(pair),
  detail: [perSeedText(pair), exploratoryText(pair)].filter(Boolean).join('. '),
  part: true,
  cells: [
    pair.direction === undefined ? NONE : { text: pair.direction, tone: 'muted' },
    measuredCell(pair),
    neededCell(pair),
    NONE,
    ...(published ? [publishedCell(pair.published?.outcome, pair.published?.gap)] : []),
  ],
});

const RELATIONS = { greater: 'above', 'not-worse': 'not below', same: 'no different from' } as const satisfies Readonly<Record<PairResult['type'], string>>;
const RELATIONS_OF_LESS = { ...RELATIONS, greater: 'below', 'not-worse': 'not above' } as const;

/** Which arms are compared, how and, where there are several numbers, by which. */
export const comparisonText = ({ type, arm, than, measure: { better, label }, ofSeveral }: PairResult): string =>
  `${arm.label} ${(better === 'lower' ? RELATIONS_OF_LESS : RELATIONS)[type]} ${than.label}${ofSeveral ? `, ${label}` : ''}`;

/** One difference is the mean itself. */
const perSeedText = ({ perSeed, measure: { unit } }: PairResult): string => (perSeed.length < 2 ? '' : `Per seed: ${perSeed.map(({ delta }) => formatDelta(delta, unit)).join(', ')}`);

function exploratoryText({ exploratory, measure: { unit } }: PairResult): string {
  if (exploratory === undefined) return '';
  const { n, delta, interval } = exploratory;
  return `Exploratory, all ${plural(n, 'seed')}: ${formatDelta(delta, unit)}${interval === undefined ? '' : ` [${formatDelta(interval.low, unit)}, ${formatDelta(interval.high, unit)}]`}`;
}

/** Labels of arms that no seed has, of comparisons that could not be made. */
function missingArms(pairs: readonly PairResult[]): string[] {
  return [...new Set(pairs.flatMap(({ arm, than, missing }) => [missing.includes('arm') ? [arm.label] : [], missing.includes('than') ? [than.label] : []]).flat())];
}

const VERDICTS: Readonly<Record<Verdict, { readonly sign?: string; readonly tone: Tone }>> = {
  reproduced: { sign: '\u2713', tone: 'agree' },
  contradicted: { sign: '\u2715', tone: 'disagree' },
  undecided: { sign: '\u2248', tone: 'plain' },
  interim: { tone: 'muted' },
  exploratory: { tone: 'muted' },
  'no verdict': { tone: 'muted' },
  'not run': { tone: 'muted' },
};

/** What became of a claim in words: `interim, 2 of 5 seeds`; one seed of several declared ones is `1 of 5 seeds`, and of one is `one seed`. */
export function stateText({ verdict, seeds: { n, declared }, origin }: Pick<ClaimResult, 'verdict' | 'seeds' | 'origin'>): string {
  if (verdict === 'interim') return n === 1 ? `1 of ${declared} seeds` : `interim, ${n} of ${declared} seeds`;
  if (verdict === 'no verdict' && n === 1) return 'one seed';
  if (verdict === 'exploratory' || verdict === 'no verdict') return `${verdict}, ${plural(n, 'seed')}`;
  return [VERDICTS[verdict].sign, verdictWord(verdict, origin)].filter(part => part !== undefined).join(' ');
}

function verdictCell(claim: ClaimResult): Cell {
  const missing = claim.verdict === 'not run' ? missingArms(claim.pairs) : [];
  const details = [
    claim.direction ?? '',
    claim.beforeCorrection === claim.verdict ? '' : `${verdictWord(claim.beforeCorrection, claim.origin)} before correction`,
    claim.verdict === 'not run' ? (missing.length === 0 ? 'no seed in common' : `missing: ${missing.join('; ')}`) : '',
  ].filter(Boolean);
  return { text: stateText(claim), tone: VERDICTS[claim.verdict].tone, ...(details.length === 0 ? {} : { detail: details.join('; ') }) };
}

function measuredCell({ delta, standardError, interval, n, measure: { unit } }: PairResult): Cell {
  if (delta === undefined || standardError === undefined) return NONE;
  if (interval !== undefined) return { text: formatDelta(delta, unit), detail: `[${formatDelta(interval.low, unit)},\u00a0${formatDelta(interval.high, unit)}], n\u00a0${n}` };
  const error = `\u00b1\u00a0${formatDelta(standardError, unit).replace('+', '')}`;
  return { text: formatDelta(delta, unit), detail: n === 1 ? error : `${error}, n\u00a0${n}` };
}

/** Nothing is needed where nothing is judged. */
function neededCell({ type, margin, verdict, measure: { unit } }: PairResult): Cell {
  if (verdict === 'no verdict') return NONE;
  const size = formatDelta(margin, unit).replace('+', '');
  return { text: type === 'same' ? `within\u00a0\u00b1${size}` : `>\u00a0${formatDelta(type === 'greater' ? margin : -margin, unit)}`, tone: 'muted' };
}

const OUTCOMES: Readonly<Record<PublishedOutcome, { readonly detail: string; readonly tone: Tone }>> = {
  supports: { detail: 'supports it', tone: 'plain' },
  contradicts: { detail: 'the paper\u2019s own table disagrees', tone: 'plain' },
  'within noise': { detail: 'within the paper\u2019s noise', tone: 'muted' },
};

function publishedCell(outcome: PublishedOutcome | undefined, gap: number | undefined): Cell {
  if (gap === undefined) return NONE;
  return outcome === undefined ? { text: formatPublishedDelta(gap), detail: 'not all published' } : { text: formatPublishedDelta(gap), ...OUTCOMES[outcome] };
}

function lessIsBetterNotes(pairs: readonly PairResult[]): string[] {
  const labels = [...new Set(pairs.flatMap(({ measure: { label, better } }) => (better === 'lower' ? [label] : [])))];
  return labels.length === 0 ? [] : [`Differences in ${listed(labels)}, of which less is better, are turned round: above zero the first of the two is better.`];
}

/** What the signs in the cells mean, as far as they are there. */
function claimNotes(claims: readonly ClaimResult[]): string[] {
  const pairs = claims.flatMap(claim => claim.pairs);
  const errors = pairs.filter(({ interval, n }) => interval === undefined && n > 0).map(({ n }) => n);
  return [
    ...(claims.some(({ p }) => p !== undefined) ? ['p: two-sided, of its own direction beyond the margin, by the paired t test; after Holm\u2019s correction, and alone.'] : []),
    ...(errors.includes(1) ? ['\u00b1 of one seed: the error that the test images give the difference of these two trained models. It decides nothing.'] : []),
    ...(errors.some(n => n > 1) ? [`\u00b1 of several seeds: the standard error of the mean difference, where there is no verdict to give or there are fewer than ${FEWEST_SEEDS} seeds.`] : []),
    ...lessIsBetterNotes(pairs),
    ...(hasPublished(claims) ? ['Published \u0394: the gap in the paper\u2019s own table, for claims of several comparisons that of the one shown.'] : []),
  ];
}
