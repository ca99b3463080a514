/** A study that repeats no paper: nothing that a reader sees of its report, or of what changed in it, speaks of one. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Claim } from '../../../../src/core/ablation/declaration.ts';
import { buildReport, type ReportInput } from '../../../../src/core/report/model/build.ts';
import { renderReport } from '../../../../src/core/report/write.ts';
import { parseMarkup } from '../../../helpers/report/dom.ts';
import { accuracyRecords, cell, claim, claimAblation, type Accuracies } from '../../../helpers/report/claims.ts';
import { sampleStudy } from '../../../helpers/report/sample.ts';

const study = { ...sampleStudy, report: { ...sampleStudy.report, facts: () => [{ label: 'Data', value: 'trees' }], notes: () => [] } };

const ACCURACIES: Accuracies = { 'mine/a': [0.8, 0.81, 0.82], 'mine/b': [0.7, 0.71, 0.721], 'mine/c': [0.75, 0.76, 0.75], 'mine/d': [0.8, 0.7, 0.8] };
/** Without a source. */
function greater(name: string, arm: string, than: string): Claim {
  const { source, ...rest } = claim([{ type: 'greater', arm, than }], { name, sentence: `${arm.toUpperCase()} is above ${than.toUpperCase()}.` });
  expect(source).toBeDefined();
  return rest;
}

const mine = (published: Parameters<typeof claimAblation>[3] = {}): ReportInput => ({
  study,
  profile: { name: 'own', seeds: [0, 1, 2] },
  // A source alone makes no claim of a paper: nobody published a value.
  ablations: [
    { ...claimAblation('mine', ['a', 'b', 'c', 'd'], [{ ...greater('up', 'a', 'b'), source: 'a guess of ours' }, greater('down', 'b', 'c'), greater('even', 'd', 'c')], published), table: 'ours' },
  ],
  records: accuracyRecords(ACCURACIES),
});

const OF_A_PAPER = /\b(papers?|published|order(s|ed)?|reproduced|contradicted|claims?)\b.{0,40}/gi;

describe('a report without published values', () => {
  let files: ReadonlyMap<string, string>;
  beforeAll(async () => {
    files = await renderReport(mine());
  });

  test.each([
    ['README.md', 'A is above B', 'supported'],
    ['index.html', 'A is above B', 'supported'],
    ['tables/claims.tex', 'A is above B', 'supported'],
    ['tables/mine.tex', '81.00', ''],
    ['tables/mine-plain.tex', '81.00', ''],
  ])('%s', (name, ...expected) => {
    const text = files.get(name)!;
    // What readers see: not the names of files, anchors and labels.
    const seen = name === 'index.html' ? seenText(text) : text.replace(/\]\([^)]*\)|<a id="[^"]*">|\\label\{[^}]*\}|^%.*$/gm, '');
    for (const part of expected) expect(seen).toContain(part);
    expect(seen.match(OF_A_PAPER) ?? []).toEqual([]);
  });

  test('its figures', () => {
    for (const [name, text] of files) if (name.endsWith('.svg')) expect([name, text.replace(/(class|id|href|aria-\w+)="[^"]*"/g, '').match(OF_A_PAPER)]).toEqual([name, null]);
  });
});

/** With what is read aloud. */
function seenText(page: string): string {
  const document = parseMarkup(page.replace(/<(script|style)[^>]*>[^]*?<\/\1>/g, ''));
  return [document.querySelector('body')!.textContent, ...[...document.querySelectorAll('[aria-label]')].map(element => element.getAttribute('aria-label')!)].join('\n');
}

test('with published values of two arms the claim between them that names a source is of the paper, and counted apart', () => {
  const report = buildReport(mine({ a: cell(84), b: cell(83) }));
  expect(report.ablations[0]!.claims.map(({ origin }) => origin)).toEqual(['published', 'own', 'own']);
  expect(report.verdict).toEqual(['The one claim of the paper is reproduced: \u201cA is above B\u201d.', 'Both hypotheses are undecided (before correction 1 refuted).']);
});
