/** Parts of the page for its end: what failed, and what each arm runs. */
import { allFailuresTable, defaultRecipeTable, defaultRecipeTitle, recipeTable } from '../../tables/appendix.ts';
import { htmlTable } from './table.ts';
import { html, type Markup } from './markup.ts';
import type { Report } from '../../model/model.ts';

/** Undefined when no stage failed. */
export function failed(report: Report): Markup | undefined {
  const data = allFailuresTable(report);
  return data === undefined ? undefined : htmlTable(data, 'compact');
}

/** Undefined where recipes are not known. */
export function recipes({ ablations, defaultRecipes }: Report): Markup | undefined {
  const ofArms = ablations.flatMap(ablation => {
    const data = recipeTable(ablation);
    return data === undefined ? [] : [html`<details><summary>${ablation.table}: ${ablation.title}</summary>${htmlTable(data, 'pathtable recipetable compact')}</details>`];
  });
  if (ofArms.length === 0) return undefined;
  const whole = defaultRecipes.map(recipe => html`<details><summary>${defaultRecipeTitle(recipe)}</summary>${htmlTable(defaultRecipeTable(recipe), 'pathtable compact')}</details>`);
  return html`<h3 id="recipes">Recipes</h3>
<p>Each arm as its difference from the default arm of its ablation.</p>
${ofArms}
<p>The default arms in full.</p>
${whole}`;
}
