/** Report -> CSV: the numbers of a table at full precision, for a spreadsheet or a data frame. */
import { stringify } from 'csv-stringify/sync';
import { armNameText } from '../../ablation/claims.ts';
import { countClaims, type ClaimResult, type PairResult } from '../model/claims.ts';
import type { AblationReport, ArmRow, Report } from '../model/model.ts';
import type { RecipeChange, StageRecipe } from '../model/recipes.ts';
import { tablesOf } from '../model/tables-of.ts';
import { HEADROOM_ERRORS } from '../model/teacher.ts';

type Value = string | number | undefined;

/** Shortest decimal that reads back as the same number, except that differences drop the noise of the last bits. */
const tidy = (value: number | undefined): number | undefined => (value === undefined ? undefined : Number(value.toPrecision(12)));

/**
 * One row per arm, those of the headroom last and named with their ablation; where arms are compared by several numbers, one for each of them, which the
 * first column names. Where there are numbers that were not run here, five columns for each source. Measured values are in the unit of the result (fractions, not percent), published ones as printed.
 * Cells that a spreadsheet would run as a formula are written as text.
 */
export function resultCsv(ablation: AblationReport): string {
  const tables = tablesOf(ablation).map(table => ({ table, rows: [...table.rows, ...table.headroom] }));
  const all = tables.flatMap(({ rows }) => rows);
  const earlier = all.some(row => row.earlier !== undefined);
  const mixed = tables.some(({ table }) => table.mixedCode !== undefined);
  const several = tables.length > 1;
  const { sources } = ablation;
  const seeds = [...new Set(all.flatMap(row => seedValues(row).map(s => s.seed)))].sort((a, b) => a - b);
  return write([
    [
      ...(several ? ['measure'] : []),
      'arm',
      'label',
      'default',
      'state',
      'n',
      'mean',
      'spread',
      'spread_kind',
      'delta',
      'delta_standard_error',
      'delta_n',
      'delta_low_95',
      'delta_high_95',
      'published',
      'published_table',
      'published_inferred',
      'published_delta',
      'agreement',
      'labelled_images',
      'unlabelled_images',
      'flops',
      ...ablation.columns.map(column => `${column.role}: ${column.label}`),
      ...seeds.map(seed => `seed_${seed}`),
      ...(earlier ? ['earlier_revisions'] : []),
      ...(mixed ? ['code'] : []),
      ...sources.flatMap((_, i) => ['note', 'n', 'mean', 'standard_deviation', 'without_seed'].map(name => `elsewhere_${i + 1}_${name}`)),
    ],
    ...tables.flatMap(({ table: { measure }, rows }) =>
      rows.map(row => [
        ...(several ? [measure.name] : []),
        ...measuredCells(row),
        ...publishedCells(row),
        ...costCells(row),
        ...ablation.columns.map((_, i) => tidy(row.extra[i])),
        ...seedCells(row, seeds),
        ...(earlier ? [row.earlier] : []),
        ...(mixed ? [row.code] : []),
        ...sources.flatMap(source => elsewhereCells(row, source)),
      ]),
    ),
  ]);
}

function measuredCells({ name, label, isDefault, state, measured, delta }: ArmRow): Value[] {
  const { interval } = delta ?? {};
  return [
    name,
    label,
    String(isDefault),
    state,
    measured?.n ?? 0,
    tidy(measured?.mean),
    tidy(measured?.spread.value),
    measured?.spread.kind,
    tidy(delta?.value),
    tidy(delta?.standardError),
    delta?.n,
    tidy(interval?.low),
    tidy(interval?.high),
  ];
}

const publishedCells = ({ published, agreement }: ArmRow): Value[] => [
  published?.value,
  published?.table,
  published === undefined ? undefined : String(published.inferred),
  published?.delta,
  agreement,
];

const costCells = ({ cost }: ArmRow): Value[] => [cost?.labelledImages, cost?.unlabelledImages, cost?.flops];

/** Of one source: its mean over seeds, and its number that has no seed. */
function elsewhereCells({ elsewhere }: ArmRow, source: string): Value[] {
  const own = elsewhere.filter(({ note }) => note === source);
  const [seeded, single] = [own.find(({ seeds }) => seeds.length > 0), own.find(({ seeds }) => seeds.length === 0)];
  return [own.length === 0 ? undefined : source, seeded?.seeds.length, tidy(seeded?.mean), tidy(seeded?.deviation), tidy(single?.mean)];
}

/** Those beyond the declared seeds, too. */
const seedValues = ({ measured, extraSeeds }: ArmRow) => [...(measured?.perSeed ?? []), ...extraSeeds];

const seedCells = (row: ArmRow, seeds: readonly number[]): Value[] => seeds.map(seed => tidy(seedValues(row).find(s => s.seed === seed)?.value));

/**
 * One row per comparison of every claim; undefined when no claim is declared. Differences, intervals and margin are in the unit of
 * the result (fractions), published gaps as printed; of a `measure` of which less is better all are turned round. The column stands where there are
 * others than the headline. `claim_verdict` is after Holm's correction, and `low` and `high` are at the
 * `level` that so decides; `verdict` is of the comparison alone, at 95 %. p-values of comparisons are one-sided.
 */
export function claimCsv({ ablations }: Report): string | undefined {
  const several = ablations.some(({ others }) => others.length > 0);
  const rows = ablations.flatMap(({ claims }) => claims.flatMap(claim => claim.pairs.map(pair => [...claimCells(claim), ...(several ? [pair.measure.name] : []), ...pairCells(pair)])));
  if (rows.length === 0) return undefined;
  return write([
    [
      'ablation',
      'claim',
      'sentence',
      'source',
      'claim_verdict',
      'claim_before_correction',
      'claim_direction',
      'claim_seeds',
      'claim_seeds_declared',
      'claim_p',
      'claim_p_holm',
      'claim_published',
      ...(several ? ['measure'] : []),
      'type',
      'arm',
      'than',
      'verdict',
      'direction',
      'n',
      'delta',
      'delta_per_seed',
      'standard_error',
      'low',
      'high',
      'level',
      'margin',
      'p_reproduced',
      'p_contradicted',
      'p_sign_flip',
      'exploratory_n',
      'exploratory_delta',
      'exploratory_low_95',
      'exploratory_high_95',
      'published_gap',
      'published_outcome',
    ],
    ...rows,
  ]);
}

const claimCells = (claim: ClaimResult): Value[] => [
  claim.ablation,
  claim.name,
  claim.sentence,
  claim.source,
  claim.verdict,
  claim.beforeCorrection,
  claim.direction,
  claim.seeds.n,
  claim.seeds.declared,
  tidy(claim.p?.value),
  tidy(claim.p?.adjusted),
  claim.published,
];

const pairCells = (pair: PairResult): Value[] => [
  pair.type,
  armNameText(pair.arm),
  armNameText(pair.than),
  pair.verdict,
  pair.direction,
  pair.n,
  tidy(pair.delta),
  pair.perSeed.map(({ seed, delta }) => `${seed}: ${delta}`).join('; '),
  tidy(pair.standardError),
  tidy(pair.interval?.low),
  tidy(pair.interval?.high),
  tidy(pair.interval?.level),
  pair.margin,
  tidy(pair.sides?.reproduced),
  tidy(pair.sides?.contradicted),
  tidy(pair.signFlipPValue),
  pair.exploratory?.n,
  tidy(pair.exploratory?.delta),
  tidy(pair.exploratory?.interval?.low),
  tidy(pair.exploratory?.interval?.high),
  pair.published?.gap,
  pair.published?.outcome,
];

/**
 * One row per condition of the scale, of the trainings one per arm; undefined where the report has none. Values are fractions where the result is;
 * `needed` is what the value has to reach (headroom) or stay below (training).
 */
export function conditionCsv({ conditions }: Report): string | undefined {
  if (conditions === undefined) return undefined;
  const { headroom, training } = conditions;
  return write([
    ['condition', 'arm', 'baseline', 'state', 'n', 'value', 'standard_error', 'needed', 'held_out_items'],
    ...headroom.map(({ of, baseline, state, difference }): Value[] => [
      'headroom',
      of.name,
      baseline?.name,
      state,
      difference?.n ?? 0,
      tidy(difference?.value),
      tidy(difference?.standardError),
      tidy(difference && HEADROOM_ERRORS * difference.standardError),
      undefined,
    ]),
    ...(training?.arms ?? []).map(({ name, state, n, gain, standardError }): Value[] => ['training', name, undefined, state, n, tidy(gain), tidy(standardError), tidy(standardError), training!.items]),
  ]);
}

/** One row per ablation and number that its arms are compared by: how its claims, which stand with the first, and its order came out. Counts of pairs are of arms with published values of one table. */
export function contentsCsv({ ablations }: Report): string {
  const several = ablations.some(({ others }) => others.length > 0);
  return write([
    [
      'ablation',
      ...(several ? ['measure'] : []),
      'title',
      'table',
      'arms',
      'arms_measured',
      'claims',
      'reproduced',
      'contradicted',
      'reproduced_before_correction',
      'contradicted_before_correction',
      'agrees',
      'disagrees',
      'within_noise',
      'not_run',
      'pairs_same',
      'pairs_opposite',
      'pairs_within_noise',
      'pairs_one_seed',
      'pairs_published_noise',
      'pairs_not_measured',
      'kendall_tau',
      'kendall_arms',
      'kendall_p',
      'kendall_seeds',
      'kendall_low',
      'kendall_high',
    ],
    ...ablations.flatMap(tablesOf).map(({ name, measure, title, table, rows, claims, order, rank }) => {
      const count = countClaims(claims);
      return [
        name,
        ...(several ? [measure.name] : []),
        title,
        table,
        rows.length,
        rows.filter(row => row.measured !== undefined).length,
        count.total,
        count.reproduced,
        count.contradicted,
        count.beforeCorrection.reproduced,
        count.beforeCorrection.contradicted,
        count.agrees,
        count.disagrees,
        count.withinNoise,
        count.notRun,
        order.same,
        order.opposite,
        order.withinNoise,
        order.oneSeed,
        order.publishedNoise,
        order.notMeasured,
        tidy(rank?.tau),
        rank?.arms,
        tidy(rank?.pValue),
        rank?.seeds?.n,
        tidy(rank?.seeds?.low),
        tidy(rank?.seeds?.high),
      ];
    }),
  ]);
}

/**
 * Recipes: every field of the default arms (`arm` names them all) and of stages that they do not have, and for the other arms
 * what differs, with the value of the arm compared with; undefined when recipes are not known. Values are JSON.
 */
export function recipeCsv({ ablations, defaultRecipes }: Report): string | undefined {
  if (defaultRecipes.length === 0) return undefined;
  const whole = (arm: string, stages: readonly StageRecipe[]): Value[][] => stages.flatMap(({ stage, fields }) => fields.map(({ field, value }) => [arm, stage, field, value, undefined, undefined]));
  const changed = (arm: string, than: string, changes: readonly RecipeChange[]): Value[][] => changes.map(({ stage, field, value, other }) => [arm, stage, field, value, than, other]);
  return write([
    ['arm', 'stage', 'field', 'value', 'compared_with', 'other_value'],
    ...defaultRecipes.flatMap(({ arms, stages }) => whole(arms.join('; '), stages)),
    ...ablations.flatMap(({ name, recipes = [] }) =>
      recipes.flatMap(({ arm, own, likeOthers, changes }) => {
        const full = `${name}/${arm}`;
        return [...whole(full, own), ...likeOthers.flatMap(({ label, changes: ofStage }) => changed(full, label, ofStage)), ...changed(full, 'default', changes)];
      }),
    ),
  ]);
}

/** One row per point of every curve of the ablation; undefined when it has none. */
export function curveCsv(ablation: AblationReport): string | undefined {
  if (ablation.curves.length === 0) return undefined;
  return write([
    ['role', 'metric', 'arm', 'seed', 'epoch', 'value'],
    ...ablation.curves.flatMap(chart => chart.series.flatMap(s => s.points.map(([epoch, value]) => [chart.role, chart.metric, s.arm, s.seed, epoch, value]))),
  ]);
}

const write = (rows: readonly (readonly Value[])[]): string =>
  stringify(
    rows.map(row => [...row]),
    { escape_formulas: true, record_delimiter: '\n', cast: { string: value => (NUMBER.test(value) ? { value, escape_formulas: false } : value) } },
  );

/** Values of recipes are text, and `-1` is no formula. */
const NUMBER = /^-\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
