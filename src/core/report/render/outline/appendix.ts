/** How it was run, and what the results rest on: for looking up. */
import { AGREEMENT, OVERVIEW } from '../../charts/figures.ts';
import { agreementTable } from '../../charts/agreement.ts';
import { overviewTable } from '../../charts/axis-chart.ts';
import { allFailuresTable, costTable, defaultRecipeTable, defaultRecipeTitle, factTable, recipeTable, stageTable } from '../../tables/appendix.ts';
import { assumptionTable, orderTable } from '../../tables/context.ts';
import type { AblationReport, Report } from '../../model/model.ts';
import { plural } from '../../../text/format.ts';
import type { Block } from './blocks.ts';
import { details, headed, paragraph, tableOf } from './parts.ts';

export const settingSection = (report: Report): Block => ({
  type: 'section',
  on: 'page',
  id: 'setting',
  title: 'How it was run',
  blocks: tableOf(factTable(report), 'facts'),
});

/** @param drawn which of the figures over all tables there are that stand here */
export function appendixSection(report: Report, drawn: { readonly overview: boolean; readonly order: boolean }): Block {
  return {
    type: 'section',
    on: 'page',
    id: 'appendix',
    title: 'Appendix',
    blocks: [
      ...tableOf(allFailuresTable(report), 'values'),
      ...(drawn.overview ? headed(report.overview!.title, [{ type: 'figure', id: OVERVIEW }, ...details('Values of the figure', tableOf(overviewTable(report), 'values'))]) : []),
      ...headed('Order of arms', [
        ...(drawn.order ? [{ type: 'figure', id: AGREEMENT } as const, ...details('Values of the figure', tableOf(agreementTable(report), 'values'))] : []),
        ...tableOf(orderTable(report), 'values'),
      ]),
      ...headed(
        'Cost',
        report.ablations.flatMap(ablation => details(named(ablation), tableOf(costTable(ablation), 'values'))),
        'cost',
      ),
      ...headed('Assumed values', tableOf(assumptionTable(report), 'fields'), 'assumptions'),
      ...recipes(report),
      ...headed('Stages', details(`${plural(report.stages.length, 'stage')} behind the numbers, with their keys`, tableOf(stageTable(report), 'keys'))),
    ],
  };
}

const named = ({ table, title }: AblationReport): string => `${table}: ${title}`;

/** Nothing where recipes are not known. */
function recipes({ ablations, defaultRecipes }: Report): Block[] {
  const ofArms = ablations.flatMap(ablation => details(named(ablation), tableOf(recipeTable(ablation), 'recipes')));
  if (ofArms.length === 0) return [];
  return headed(
    'Recipes',
    [
      paragraph(['Each arm as its difference from the default arm of its ablation.']),
      ...ofArms,
      paragraph(['The default arms in full.']),
      ...defaultRecipes.flatMap(recipe => details(defaultRecipeTitle(recipe), tableOf(defaultRecipeTable(recipe), 'fields'))),
    ],
    'recipes',
  );
}
