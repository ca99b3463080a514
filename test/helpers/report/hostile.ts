/** Labels that try to run script, to break out of a table or a link, and to reorder text. */
import type { ReportInput } from '../../../src/core/report/model/build.ts';
import { sampleAblation, sampleInput } from './sample.ts';

export const HOSTILE_LABELS = [
  '<script>window.pwned = 1</script>',
  '"><img src=x onerror="window.pwned = 2">',
  "'; window.pwned = 3; // </style><svg onload=window.pwned=4>",
  'a | b\n| --- | **bold** `code` [link](https://example.org) ![i](https://example.org/i.png) <b>x</b>',
  '=HYPERLINK("https://example.org") @someone #1 $x$ $& $` $1 ~~y~~ \u202egnp.exe',
  'W'.repeat(400),
] as const;

/** The sample with hostile texts in every field that comes from declarations, results or logs. */
export function hostileInput(): ReportInput {
  const input = sampleInput();
  const label = (i: number): string => HOSTILE_LABELS[i % HOSTILE_LABELS.length]!;
  const ablation = {
    ...sampleAblation,
    title: label(0),
    table: label(1),
    question: label(2),
    expected: label(3),
    footnotes: [...HOSTILE_LABELS],
    claims: HOSTILE_LABELS.map((text, i) => ({
      name: `claim-${i}`,
      sentence: text,
      source: label(i + 1),
      note: label(i + 2),
      parts: [{ type: 'best' as const, arm: 'qk-vv-softmax', of: ['mae', 'qk-vv'] }],
    })),
    references: HOSTILE_LABELS.map((text, i) => ({ label: text, note: label(i + 1), published: { value: 80, unit: label(i), table: label(i + 1), row: '', column: '', source: label(i), quote: '' } })),
    inconsistencies: HOSTILE_LABELS.map((text, i) => ({ text, table: label(i + 1), source: label(i + 2) })),
    arms: sampleAblation.arms.map((arm, i) => ({ ...arm, label: label(i), note: label(i + 1) })),
  };
  const { study } = input;
  const report = {
    ...study.report,
    columns: study.report.columns.map((column, i) => ({ ...column, label: label(i) })),
    curves: study.report.curves.map((curve, i) => ({ ...curve, title: label(i) })),
    notes: () => [...HOSTILE_LABELS],
    assumptions: () => HOSTILE_LABELS.map((text, i) => ({ field: text, value: label(i + 1), reason: label(i + 2) })),
    facts: () => HOSTILE_LABELS.map((text, i) => ({ label: text, value: label(i + 1) })),
  };
  const records = input.records.map(record =>
    record.kind === 'distill' && record.uses[0]!.arm === 'qk-vv' ? { ...record, state: 'failed' as const, reason: label(1), result: {}, curves: {} } : record,
  );
  return {
    ...input,
    adopted: HOSTILE_LABELS.map((note, i) => ({ ablation: sampleAblation.name, arm: sampleAblation.arms[i % 3]!.name, metric: 'accuracy', seed: i === 0 ? null : i, value: i / 10, note })),
    overrides: [...HOSTILE_LABELS],
    study: { ...study, name: label(1), report },
    ablations: [ablation],
    records: records.filter(r => !(r.kind === 'evaluate' && r.uses[0]!.arm === 'qk-vv')),
  };
}
