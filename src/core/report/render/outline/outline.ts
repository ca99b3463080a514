/** Report -> what stands where, in which words: once for every face. */
import { AGREEMENT, FOREST, OVERVIEW } from '../../charts/figures.ts';
import { overviewTable } from '../../charts/axis-chart.ts';
import { claimForestTable } from '../../charts/claim-forest.ts';
import { claimOverview } from '../../tables/claims.ts';
import { conditionTable, headroomTable } from '../../tables/conditions.ts';
import { contentsTable } from '../../tables/context.ts';
import { resultRules } from '../../tables/results.ts';
import { countClaims, type ClaimResult } from '../../model/claims.ts';
import type { Report } from '../../model/model.ts';
import { armsShare, beforeCorrectionText, claimCountText, reportKicker, reportTitle, seedsText } from '../../model/wording.ts';
import { byOrigin, claimNoun, claimsCaption } from '../../model/words.ts';
import { plural } from '../../../text/format.ts';
import { ablationSection } from './ablation.ts';
import { appendixSection, settingSection } from './appendix.ts';
import type { Block, Outline } from './blocks.ts';
import { details, list, only, paragraph, small, tableOf } from './parts.ts';

/** @param figures ids of those that are drawn */
export function outlineOf(report: Report, figures: ReadonlySet<string>): Outline {
  // The study's own picture leads where there are no claims to show.
  const lead = figures.has(FOREST) ? FOREST : OVERVIEW;
  return {
    kicker: reportKicker(report),
    title: reportTitle(report),
    head: [...cautions(report), verdict(report)],
    body: [
      glance(report, figures, lead),
      ...conditionSection(report),
      ...report.ablations.map(ablation => ablationSection(report, ablation, figures)),
      settingSection(report),
      appendixSection(report, { overview: lead !== OVERVIEW && figures.has(OVERVIEW), order: figures.has(AGREEMENT) }),
    ],
    footer: footer(report),
  };
}

/** The first one in full: it says how to read the whole; the others when asked for, where there are several. */
function cautions({ notes }: Report): Block[] {
  const [first, ...others] = notes.map(note => paragraph([note]));
  if (first === undefined) return [];
  const more = others.length < 2 ? others : details(`${plural(others.length, 'further note')} on how to read the numbers`, others);
  return [{ type: 'caution', blocks: [first, ...more] }];
}

function verdict({ verdict: [lead = '', ...rest] }: Report): Block {
  return paragraph([{ text: lead, strong: true }, ...(rest.length === 0 ? [] : [` ${rest.join(' ')}`])], 'verdict');
}

function glance(report: Report, figures: ReadonlySet<string>, lead: string): Block {
  const claims = allClaims(report);
  const caption = claimsCaption(claims).toLowerCase();
  return {
    type: 'section',
    id: 'at-a-glance',
    title: lead === FOREST ? `All ${caption} at a glance` : 'At a glance',
    blocks: [
      ...(figures.has(lead) ? [{ type: 'figure', id: lead } as const, ...only('page', values(report, lead))] : []),
      numbers(report, claims),
      ...(report.ablations.length < 2 ? [] : [{ type: 'navigation', label: 'Ablations', blocks: tableOf(contentsTable(report), 'contents') } as const]),
      ...details('How to read the tables', list([...resultRules(report), report.valueRule].filter(Boolean).map(rule => [rule]))),
      ...details(`How ${caption} are judged`, list(claims.length === 0 ? [] : claimOverview(report).notes.map(rule => [rule]))),
    ],
  };
}

/** Facts on how large the scale is stand below. */
function conditionSection({ conditions, headline, facts }: Report): Block[] {
  if (conditions === undefined) return [];
  const blocks = [
    ...tableOf(conditionTable(conditions, headline), 'values'),
    ...small(facts.flatMap(({ label, value, scale }) => (scale === true ? [`${label}: ${value}.`] : []))),
    ...details(`Headroom of ${plural(conditions.headroom.length, 'pair')}`, tableOf(headroomTable(conditions, headline), 'values')),
    paragraph(['Of each arm: ', { text: 'conditions.csv', href: 'tables/conditions.csv' }, '.'], 'small'),
  ];
  return [{ type: 'section', id: 'conditions', title: 'What this scale can show', blocks }];
}

const allClaims = ({ ablations }: Report): ClaimResult[] => ablations.flatMap(({ claims }) => claims);

const values = (report: Report, lead: string): Block[] => details('Values of the figure', tableOf(lead === FOREST ? claimForestTable(report) : overviewTable(report), 'values'));

function numbers(report: Report, claims: readonly ClaimResult[]): Block {
  const { facts } = report;
  const leading = facts.filter(({ lead }) => lead === true);
  return {
    type: 'numbers',
    items: [
      ...byOrigin(claims).map(({ origin, claims: ofOrigin }) => {
        const count = countClaims(ofOrigin);
        const before = beforeCorrectionText(count, origin);
        return { label: `${count.total} ${claimNoun(origin, count.total)}`, value: claimCountText(count, origin), ...(before === undefined ? {} : { detail: before }) };
      }),
      { label: 'Arms measured', ...armsShare(report) },
      { label: 'Seeds', value: seedsText(report) },
      ...(leading.length === 0 ? facts.slice(0, 1) : leading).map(({ label, value }) => ({ label, value })),
    ],
  };
}

function footer(report: Report): Block[] {
  const { ablations, claims, defaultRecipes } = report;
  const caption = claimsCaption(allClaims(report)).toLowerCase();
  const file = (text: string, path: string) => ({ text, href: path });
  const tables = [
    ...(claims.total === 0 ? [] : [file(`all ${caption}`, 'tables/claims.csv'), file(`${caption} as LaTeX`, 'tables/claims.tex')]),
    ...(report.conditions === undefined ? [] : [file('conditions', 'tables/conditions.csv')]),
    ...(ablations.length < 2 ? [] : [file('all ablations', 'tables/ablations.csv')]),
    ...(defaultRecipes.length === 0 ? [] : [file('recipes', 'tables/recipes.csv')]),
  ];
  return [
    paragraph([
      'Made from the records in ',
      file('results.jsonl', 'results.jsonl'),
      ...(ablations.some(({ sources }) => sources.length > 0) ? [', the numbers from elsewhere in ', file('adopted.jsonl', 'adopted.jsonl')] : []),
      ' and the declarations; the same records give the same bytes. Times, versions and machine are in ',
      file('provenance.json', 'provenance.json'),
      '.',
      ...(tables.length === 0 ? [] : [' Tables of the whole report: ', ...tables.flatMap((table, i) => (i === 0 ? [table] : [', ', table])), '.']),
    ]),
    ...only('readme', [
      paragraph([file('index.html', 'index.html'), ' is the same as one page, with every comparison and footnote, charts, training curves, how it was run, cost, recipes, assumed values and keys.']),
    ]),
  ];
}
