import { marked } from 'marked';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildReport, type ReportInput } from '../../../../src/core/report/model/build.ts';
import { countClaims } from '../../../../src/core/report/model/claims.ts';
import { curveLines } from '../../../../src/core/report/model/curves.ts';
import { byOrigin } from '../../../../src/core/report/model/words.ts';
import { parseRecords } from '../../../../src/core/report/records/records.ts';
import { renderReport } from '../../../../src/core/report/write.ts';
import { stateText } from '../../../../src/core/report/tables/claims.ts';
import { claimAnchor } from '../../../../src/core/report/tables/anchors.ts';
import { parseMarkup, type ElementLike } from '../../../helpers/report/dom.ts';
import { GRID_ABLATIONS, GRID_ARMS, gridInput } from '../../../helpers/report/grid.ts';
import { sampleInput } from '../../../helpers/report/sample.ts';
import { wholeInput } from '../../../helpers/report/whole.ts';

const input = gridInput();
const report = buildReport(input);
const named = (document: ElementLike, caption: string): ElementLike[] => [...document.querySelectorAll('table')].filter(t => t.querySelector('caption')!.textContent === caption);
const texts = (elements: Iterable<ElementLike>): string[] => [...elements].map(e => e.textContent.replaceAll('\u00a0', ' '));

/** Drawing the whole grid takes seconds, and several times that on a busy machine. */
const GRID_TIMEOUT = 120_000;
/** Charts have tests of their own; without them the page parses fast. */
const withoutCharts = (page: string): string => page.replace(/<svg [^]*?<\/svg>/g, '');

let files: ReadonlyMap<string, string>;
let page: ElementLike;
let readme: ElementLike;
beforeAll(async () => {
  files = await renderReport(input);
  page = parseMarkup(withoutCharts(files.get('index.html')!));
  readme = parseMarkup(marked.parse(files.get('README.md')!, { async: false, gfm: true }));
}, GRID_TIMEOUT);

describe('claims of a whole grid', () => {
  test('the grid has every verdict that a profile with all its seeds gives, and every direction', () => {
    const { total, interim, exploratory, noVerdict, beforeCorrection, agrees, disagrees, withinNoise, ...verdicts } = report.claims;
    const counts = { ...verdicts, interim, agrees, disagrees, withinNoise, lost: beforeCorrection.reproduced - verdicts.reproduced };
    for (const [name, count] of Object.entries(counts)) expect([name, count > 0]).toEqual([name, true]);
    expect([exploratory, noVerdict]).toEqual([0, 0]);
    expect(verdicts.reproduced + verdicts.contradicted + verdicts.undecided + verdicts.notRun + interim).toBe(total);
  });

  test('the sentence counts them first, those of the paper apart from hypotheses', () => {
    const [ofPaper, own] = byOrigin(report.ablations.flatMap(({ claims }) => claims)).map(({ claims }) => countClaims(claims));
    expect(ofPaper!.total + own!.total).toBe(report.claims.total);
    expect(report.verdict[0]).toMatch(
      new RegExp(`^${ofPaper!.reproduced} of ${ofPaper!.total} claims of the paper are reproduced, above all \u201c.*\u201d; ${ofPaper!.contradicted} are contradicted`),
    );
    expect(report.verdict[1]).toBe(`${own!.undecided} of ${own!.total} hypotheses are undecided; ${own!.interim + own!.notRun} is not run.`);
    expect(page.querySelector('.verdict strong')!.textContent).toBe(report.verdict[0]);
    expect(readme.querySelector('strong')!.textContent).toBe(report.verdict[0]);
  });

  test('every claim stands once, in its ablation, with its verdict, source and numbers', () => {
    for (const claim of report.ablations.flatMap(ablation => ablation.claims)) {
      const rows = [...page.querySelectorAll(`tr[id="${claimAnchor(claim)}"]`)];
      expect(rows).toHaveLength(1);
      const row = rows[0]!;
      expect(row.querySelector('th')!.textContent).toContain(claim.sentence);
      expect(row.querySelector('th small')!.textContent).toContain(claim.source);
      expect(row.querySelector('td')!.textContent).toContain(stateText(claim));
      expect(row.textContent).toContain('>\u00a0');
    }
    // One comparison with five seeds: difference, both bounds, seeds.
    expect(page.querySelector('tr[id="claim-ablation-0--last-above-first"]')!.textContent).toMatch(/[+\u2212]\d\.\d\d \[[+\u2212]\d\.\d\d,\u00a0[+\u2212]\d\.\d\d\], n\u00a05/);
  });

  test('a claim of several comparisons has a row for each in its ablation', () => {
    const monotone = [...page.querySelectorAll('tr[id="claim-ablation-1--monotone"]')];
    expect(monotone).toHaveLength(1);
    const table = named(page, 'Claims')[1]!;
    const parts = texts(table.querySelectorAll('tr.part th'));
    // Three neighbours, and the default against the six others.
    expect(parts).toHaveLength(9);
    expect(parts[0]).toMatch(/^Feature before the residual, reading 2 above Class token, reading 1 Per seed: ([+\u2212]?\d\.\d\d(, |$)){5}$/);
  });

  test('the paper against itself is told', () => {
    expect(texts(page.querySelectorAll('.claims td small')).filter(text => text.includes('own table disagrees')).length).toBeGreaterThan(0);
    expect(named(page, 'Where the paper disagrees with itself')).toHaveLength(3);
  });

  test('missing arms of a claim are named', () => {
    const row = texts(page.querySelectorAll('.claims tbody tr')).find(text => text.includes('this report does not hold'))!;
    expect(row).toContain('not run missing: segmentation/upernet');
  });

  test('how claims are judged stands beside the verdicts', () => {
    const judged = [...page.querySelectorAll('#at-a-glance details')].find(details => details.querySelector('summary')!.textContent === 'How claims and hypotheses are judged')!;
    const notes = texts(judged.querySelectorAll('li')).join('\n');
    expect(notes).toContain('A verdict is given when all 5 seeds (0, 1, 2, 3, 4) that the profile declares are there.');
    expect(notes).toContain('Holm\u2019s correction over all claims and hypotheses that an ablation declares, run or not, in both directions');
    expect(notes).toContain('Margin where a claim or hypothesis names none: 0.16 points, invented for the test.');
    expect(notes).toContain('The stage \u2018teacher\u2019 has one seed for all arms, so that spread is in no interval.');
  });

  test('tables/claims.csv has a line for every comparison', () => {
    const lines = files.get('tables/claims.csv')!.trimEnd().split('\n');
    expect(lines).toHaveLength(1 + report.ablations.flatMap(a => a.claims).flatMap(c => c.pairs).length);
    expect(lines[0]).toMatch(/^ablation,claim,sentence,source,claim_verdict,/);
    expect(lines[1]).toMatch(/^ablation-0,last-above-first,The default arm is clearly above the baseline of the same table\.,section 4\.2,undecided,/);
  });

  test('with one seed nothing is decided', () => {
    const one = buildReport(gridInput([0]));
    expect(one.claims).toMatchObject({ reproduced: 0, contradicted: 0 });
    expect(one.claims.noVerdict + one.claims.notRun).toBe(one.claims.total);
    expect(one.claims.agrees).toBeGreaterThan(0);
  });
});

describe('what stands beside the results', () => {
  test('the caution comes before the verdict', () => {
    for (const [text, caution] of [
      [files.get('index.html')!, 'role="note"'],
      [files.get('README.md')!, '\n> Sample data'],
    ] as const) {
      expect(text).toContain(caution);
      expect(text.indexOf(caution)).toBeLessThan(text.indexOf(report.verdict[0]!.slice(0, 20)));
    }
  });

  test('the contents have a line for every ablation', () => {
    expect(texts(page.querySelectorAll('nav tbody th'))).toEqual(report.ablations.map(a => a.title));
    for (const document of [page, readme]) {
      const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
      const targets = [...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href')!.slice(1));
      expect(targets.length).toBeGreaterThan(0);
      expect(ids).toEqual(expect.arrayContaining(targets));
    }
  });

  test('published rows that are never run are no arms; a long list is folded', () => {
    const [short, long] = named(page, 'Published rows for reference, never run here');
    expect(short!.querySelectorAll('tbody tr')).toHaveLength(3);
    expect(long!.querySelectorAll('tbody tr')).toHaveLength(20);
    expect(texts(page.querySelectorAll('summary'))).toContain('20 published rows for reference, never run here');
    expect(report.arms.total).toBe(GRID_ARMS);
    expect(report.ablations[1]!.rows).toHaveLength(7);
  });

  test('assumed values and changes of the profile are listed', () => {
    const assumed = named(page, 'Values of profile grid without a source')[0]!;
    expect(texts(assumed.querySelectorAll('tbody th'))).toEqual(['distill.schedule.warmup_epochs', 'finetune.drop_path']);
    expect(assumed.textContent).toContain('Not stated for ViT-S and ViT-T');
    expect(page.querySelector('.kicker')!.textContent).toBe('Ablation report, profile grid, changed: distill.schedule.epochs=7');
    expect(texts(named(page, 'Profile grid')[0]!.querySelectorAll('tr.marked td'))).toEqual(['distill.schedule.epochs=7']);
  });

  test('a report without any of it has no sections for it', async () => {
    const plain = parseMarkup((await renderReport(sampleInput())).get('index.html')!);
    for (const selector of ['.claims', '#assumptions', '.reference', 'nav']) expect(plain.querySelector(selector)).toBeNull();
    expect((await renderReport(sampleInput())).has('tables/claims.csv')).toBe(false);
  });

  test('arms that other tables share say so', () => {
    expect(report.ablations[2]!.footnotes).toContain('The same runs as in other tables: Class token, reading 1 (ablation-1/arm-1).');
    expect(report.ablations[2]!.rows[0]!.measured).toEqual(report.ablations[1]!.rows[1]!.measured);
  });
});

describe('size', () => {
  test(
    'the real declarations with every stage of five seeds stay below 2.2 MB',
    async () => {
      const whole = await wholeInput('desk');
      expect(whole.records.length).toBeGreaterThan(800);
      const page = (await renderReport(whole)).get('index.html')!;
      expect(Buffer.byteLength(page)).toBeLessThan(2_200_000);
      const { arms } = buildReport(whole);
      expect([arms.partial, arms.missing, arms.failed]).toEqual([0, 0, 0]);
      expect(page).toContain(`<dd>${arms.total} of ${arms.total}</dd>`);
      expect(page).toContain('<dd>5 seeds (seeds 20, 21, 22, 23, 24)</dd>');
    },
    GRID_TIMEOUT,
  );

  test('so does a page of fifteen other ablations', () => {
    expect(report.ablations).toHaveLength(GRID_ABLATIONS);
    expect(Buffer.byteLength(files.get('index.html')!)).toBeLessThan(1_500_000);
  });

  test('several seeds are drawn as their mean, unless they were recorded at other epochs', () => {
    const chart = report.ablations[0]!.curves[0]!;
    expect(chart.series).toHaveLength(15);
    const lines = curveLines(chart.series);
    expect(lines.map(line => line.seed)).toEqual([undefined, undefined, undefined]);
    const ends = chart.series.filter(s => s.arm === 'arm-1').map(s => s.points.at(-1)![1]);
    expect(lines[1]!.points.at(-1)![1]).toBeCloseTo(ends.reduce((a, b) => a + b, 0) / 5, 12);
    const cut = chart.series.map((s, i) => (i === 0 ? { ...s, points: s.points.slice(1) } : s));
    expect(curveLines(cut)).toHaveLength(5 + 2);
  });
});

test('a grid comes back from its own records', { timeout: GRID_TIMEOUT, tags: 'long' }, async () => {
  const small = gridInput([0]);
  const first = await renderReport(small);
  expect(await renderReport({ ...small, records: parseRecords(first.get('results.jsonl')!) })).toEqual(first);
});

test(
  'an ablation may not take the file of another table',
  async () => {
    const taken: ReportInput = { ...input, ablations: [{ ...input.ablations[1]!, name: 'claims' }] };
    await expect(renderReport(taken)).rejects.toThrow('got tables/claims.csv twice. Rename the ablation.');
  },
  GRID_TIMEOUT,
);
