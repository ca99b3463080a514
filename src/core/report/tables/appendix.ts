/** Tables at the end of the report: how it was run, what each arm runs and costs, what failed, and the stages behind the numbers. */
import { ablationAnchor } from './anchors.ts';
import { formatCode, formatCount, formatFlops, formatValue, plural } from '../../text/format.ts';
import type { AblationReport, ArmRow, Failure, Report, StageEntry } from '../model/model.ts';
import type { ArmRecipe, DefaultRecipe, RecipeChange, StageRecipe } from '../model/recipes.ts';
import { seedsText } from '../model/wording.ts';
import { left, metricLabel, NONE, right, type Cell, type Table, type TableRow } from './results.ts';

/** What an arm costs, and the study's further numbers. */
export function costTable(ablation: AblationReport): Table {
  return {
    subject: ablation.title,
    caption: 'Images, operations and further numbers',
    corner: 'Arm',
    columns: [right('Labelled images'), right('Unlabelled images'), right('Operations'), ...ablation.columns.map(column => right(metricLabel(column)))],
    rows: [
      ...ablation.rows.map(row => ({
        header: row.label,
        marked: row.isDefault,
        cells: [...costCells(row.cost), ...row.extra.map((value, i): Cell => (value === undefined ? NONE : { text: formatValue(value, ablation.columns[i]!.unit) }))],
      })),
      ...ablation.shared.map(stage => ({
        header: `Shared ${stage.role}, seed ${stage.seed} (${plural(stage.arms, 'arm')})`,
        cells: [...costCells(stage.cost), ...ablation.columns.map(() => NONE)],
      })),
    ],
    notes: [
      'Images seen in training by the arm\u2019s own stages, every epoch counted, for one seed; operations of all its stages, a multiply-add as two.',
      ...(ablation.shared.length > 0 ? ['Shared stages run once and are charged to no arm.'] : []),
      ...(ablation.columns.some(column => column.unit === 'loss') ? ['Losses compare between arms only where the arms minimise the same loss.'] : []),
    ],
  };
}

function costCells(cost: ArmRow['cost']): Cell[] {
  if (cost === undefined) return [NONE, NONE, NONE];
  return [{ text: formatCount(cost.labelledImages) }, { text: formatCount(cost.unlabelledImages) }, { text: formatFlops(cost.flops) }];
}

/** What the study says of the profile, what was changed in it, and the seeds. */
export function factTable(report: Report): Table {
  return {
    subject: 'How it was run',
    caption: `Profile ${report.profile}`,
    corner: 'Setting',
    columns: [left('Value')],
    rows: [
      ...report.facts.map(fact => ({ header: fact.label, cells: [{ text: fact.value }] })),
      ...report.overrides.map(change => ({ header: 'Changed for this report', marked: true, cells: [{ text: change }] })),
      { header: 'Seeds', cells: [{ text: seedsText(report) }] },
    ],
    notes: [],
  };
}

const fieldText = ({ stage, field }: { readonly stage: string; readonly field: string }): string => (field === '' ? stage : `${stage}.${field}`);
const valueCell = (value: string | undefined): Cell => (value === undefined ? NONE : { text: value });
const wholeText = ({ fields }: StageRecipe): string => fields.map(({ field, value }) => `${field} ${value}`).join('; ');

/** The arms of an ablation as differences from its default; undefined where recipes are not known. */
export function recipeTable({ title, name, recipes, rows }: AblationReport): Table | undefined {
  if (recipes === undefined) return undefined;
  const base = rows.find(row => row.isDefault);
  return {
    subject: title,
    caption: `Recipes that differ from the default, ${base?.label ?? name}`,
    corner: 'Field',
    columns: [left('This arm'), left('Default, or the arm named')],
    rows: recipes.filter(({ arm }) => arm !== base?.name).flatMap(armRows),
    notes: [],
  };
}

const changeRow = (change: RecipeChange): TableRow => ({ header: fieldText(change), cells: [valueCell(change.value), valueCell(change.other)] });

function armRows({ label, changes, likeOthers, own }: ArmRecipe): TableRow[] {
  return [
    { header: label, group: true, cells: [] },
    ...own.map((stage): TableRow => ({ header: stage.stage, cells: [{ text: wholeText(stage) }, NONE] })),
    ...likeOthers.flatMap(({ stage, label: other, changes: ofStage }): TableRow[] => [
      { header: stage, cells: [{ text: ofStage.length === 0 ? `as in ${other}` : `as in ${other}, except:` }, NONE] },
      ...ofStage.map(changeRow),
    ]),
    ...changes.map(changeRow),
  ];
}

/** A default arm in full. */
export const defaultRecipeTable = ({ label, stages }: DefaultRecipe): Table => ({
  subject: 'Recipes of default arms',
  caption: label,
  corner: 'Stage',
  columns: [left('Recipe')],
  rows: stages.map(stage => ({ header: stage.stage, cells: [{ text: wholeText(stage) }] })),
  notes: [],
});

/** `Q-K, V-V with softmax (relation/qk-vv, feature/qk-vv)`. */
export const defaultRecipeTitle = ({ label, arms }: DefaultRecipe): string => `${label} (${arms.join(', ')})`;

/** Every stage that failed, once, with the ablations that miss it; undefined when none did. */
export function allFailuresTable({ ablations }: Report): Table | undefined {
  const failed = new Map<string, { readonly failure: Failure; readonly titles: string[]; readonly first: string }>();
  for (const { title, name, failures } of ablations) {
    for (const failure of failures) {
      const known = failed.get(failure.key);
      if (known === undefined) failed.set(failure.key, { failure, titles: [title], first: name });
      else known.titles.push(title);
    }
  }
  if (failed.size === 0) return undefined;
  return {
    subject: 'How it was run',
    caption: 'All failed stages',
    corner: 'Stage',
    columns: [left('Ablations'), left('Seed'), left('Reason'), left('Key')],
    rows: [...failed.values()].map(({ failure, titles, first }) => ({
      header: failure.role,
      href: ablationAnchor(first),
      cells: [{ text: titles.join('; ') }, { text: String(failure.seed) }, { text: failure.reason, tone: 'disagree' }, { text: shown(failure.key), tone: 'muted' }],
    })),
    notes: [],
  };
}

/** Keys and hashes: what a record can be checked against. */
export function stageTable(report: Report): Table {
  const groups = new Map<string, StageEntry[]>();
  for (const stage of report.stages) {
    const name = `${stage.kind}, seed ${stage.seed}`;
    groups.set(name, [...(groups.get(name) ?? []), stage]);
  }
  return {
    subject: 'How it was run',
    caption: 'Stages behind the numbers',
    corner: 'Key',
    columns: [left('First arm that uses it'), left('SHA-256 of result.json')],
    rows: [...groups].flatMap(([name, stages]): TableRow[] => [{ header: `${name}: ${plural(stages.length, 'stage')}`, group: true, cells: [] }, ...stages.map(stageRow)]),
    notes: [],
  };
}

/** Enough to see that a hash is another; the records have all of it. */
const HASH_DIGITS = 8;

/** Enough of a key to find it. */
const shown = (hex: string): string => hex.slice(0, 12);

const stageRow = ({ key, state, earlier, uses, firstUse, resultSha256, codeHash }: StageEntry): TableRow => ({
  header: shown(key),
  cells: [
    { text: firstUse, ...(uses > 1 ? { detail: `and ${formatCount(uses - 1)} more` } : {}) },
    resultSha256 === undefined ? { text: state, tone: 'disagree' } : { text: resultSha256.slice(0, HASH_DIGITS), ...detailOf(codeHash, earlier) },
  ],
});

function detailOf(codeHash: string | undefined, earlier: string | undefined): { detail?: string } {
  const details = [...(codeHash === undefined ? [] : [`code ${formatCode(codeHash)}`]), ...(earlier === undefined ? [] : [`earlier revision: ${earlier}`])];
  return details.length === 0 ? {} : { detail: details.join(', ') };
}
