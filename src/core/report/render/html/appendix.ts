/** Parts of the page beside its sections: what disagrees most, for the first screen, and what each arm runs, for the end. */
import { allFailuresTable, defaultRecipeTable, defaultRecipeTitle, recipeTable } from '../../tables/appendix.ts';
import { disagreementRule, disagreementSentence, disagreementTitle } from '../../model/disagreements.ts';
import { disagreementAnchor } from '../../tables/anchors.ts';
import { htmlTable } from './table.ts';
import { html, type Markup } from './markup.ts';
import type { Report } from '../../model/model.ts';

/** Undefined when nothing disagrees. */
export function disagreementList({ disagreements, headline }: Report): Markup | undefined {
  if (disagreements.length === 0) return undefined;
  const items = disagreements.map(one => html`<li><a href="#${disagreementAnchor(one)}">${one.table}: ${one.title}</a>. ${disagreementSentence(one, headline.unit)}</li>`);
  return html`<h2 class="minor">${disagreementTitle}</h2>
<ol class="contrary">${items}</ol>
<details><summary>How they are chosen</summary><p class="notes">${disagreementRule}</p></details>`;
}

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
