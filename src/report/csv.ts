/** Report -> CSV: the numbers of a table at full precision, for a spreadsheet or a data frame. */
import { stringify } from 'csv-stringify/sync';
import { armNameText } from '../ablation/claims.ts';
import type { ClaimResult, PairResult } from './claims.ts';
import type { AblationReport, ArmRow, Report } from './model.ts';

type Value = string | number | undefined;

/** Shortest decimal that reads back as the same number, except that differences drop the noise of the last bits. */
const tidy = (value: number | undefined): number | undefined => (value === undefined ? undefined : Number(value.toPrecision(12)));

/**
 * One row per arm. Measured values are in the unit of the result (fractions, not percent), published ones as printed.
 * Cells that a spreadsheet would run as a formula are written as text.
 */
export function resultCsv(ablation: AblationReport): string {
  const seeds = [...new Set(ablation.rows.flatMap(row => row.measured?.perSeed.map(s => s.seed) ?? []))].sort((a, b) => a - b);
  return write([
    ['arm', 'label', 'default', 'state', 'n', 'mean', 'spread', 'spread_kind', 'delta', 'delta_standard_error', 'delta_n', 'delta_low_95', 'delta_high_95',
      'published', 'published_table', 'published_inferred', 'published_delta', 'agreement', 'labelled_images', 'unlabelled_images', 'flops',
      ...ablation.columns.map(column => `${column.role}: ${column.label}`), ...seeds.map(seed => `seed_${seed}`)],
    ...ablation.rows.map(row => [...measuredCells(row), ...publishedCells(row), ...costCells(row), ...row.extra.map(tidy), ...seedCells(row, seeds)]),
  ]);
}

function measuredCells({ name, label, isDefault, state, measured, delta }: ArmRow): Value[] {
  const { interval } = delta ?? {};
  return [name, label, String(isDefault), state, measured?.n ?? 0, tidy(measured?.mean), tidy(measured?.spread.value), measured?.spread.kind,
    tidy(delta?.value), tidy(delta?.standardError), delta?.n, tidy(interval?.low), tidy(interval?.high)];
}

const publishedCells = ({ published, agreement }: ArmRow): Value[] => [
  published?.value, published?.table, published === undefined ? undefined : String(published.inferred), published?.delta, agreement,
];

const costCells = ({ cost }: ArmRow): Value[] => [cost?.labelledImages, cost?.unlabelledImages, cost?.flops];

const seedCells = ({ measured }: ArmRow, seeds: readonly number[]): Value[] => seeds.map(seed => tidy(measured?.perSeed.find(s => s.seed === seed)?.value));

/**
 * One row per comparison of every claim; undefined when no claim is declared. Differences, bounds and margin are in the unit of
 * the result (fractions), published gaps as printed. `low_95` and `high_95` are one-sided bounds.
 */
export function claimCsv({ ablations }: Report): string | undefined {
  const rows = ablations.flatMap(({ claims }) => claims.flatMap(claim => claim.pairs.map(pair => [...claimCells(claim), ...pairCells(pair)])));
  if (rows.length === 0) return undefined;
  return write([
    ['ablation', 'claim', 'sentence', 'source', 'claim_verdict', 'claim_direction', 'claim_published', 'type', 'arm', 'than', 'verdict', 'direction', 'n', 'delta',
      'standard_error', 'low_95', 'high_95', 'margin', 'p', 'after_holm', 'seeds_needed', 'published_gap', 'published_outcome'],
    ...rows,
  ]);
}

const claimCells = ({ ablation, name, sentence, source, verdict, direction, published }: ClaimResult): Value[] => [ablation, name, sentence, source, verdict, direction, published];

const pairCells = (pair: PairResult): Value[] => [
  pair.type, armNameText(pair.arm), armNameText(pair.than), pair.verdict, pair.direction, pair.n, tidy(pair.delta), tidy(pair.standardError), tidy(pair.bounds?.low),
  tidy(pair.bounds?.high), pair.margin, tidy(pair.pValue), String(pair.afterHolm), pair.seedsNeeded, pair.published?.gap, pair.published?.outcome,
];

/** One row per point of every curve of the ablation; undefined when it has none. */
export function curveCsv(ablation: AblationReport): string | undefined {
  if (ablation.curves.length === 0) return undefined;
  return write([
    ['role', 'metric', 'arm', 'seed', 'epoch', 'value'],
    ...ablation.curves.flatMap(chart => chart.series.flatMap(s => s.points.map(([epoch, value]) => [chart.role, chart.metric, s.arm, s.seed, epoch, value]))),
  ]);
}

const write = (rows: readonly (readonly Value[])[]): string => stringify(rows.map(row => [...row]), { escape_formulas: true, record_delimiter: '\n' });
