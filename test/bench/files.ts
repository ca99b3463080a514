/** What benchmarks write below `reports`: Markdown tables, CSV, and charts with their specification. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { logger, None, type Spec } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { palette } from '../../src/core/report/charts/vega/palette.ts';
import { axisStyle } from '../../src/core/report/charts/vega/theme.ts';
import { FONT, FONT_SIZE } from '../../src/core/report/charts/vega/text-width.ts';
import { renderSvg, standalone } from '../../src/core/report/charts/svg/svg.ts';

/** The first row is the head. */
export function markdownTable([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head!), line(head!.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

export const csv = (rows: readonly (readonly (string | number)[])[]): string =>
  stringify(
    rows.map(row => [...row]),
    { escape_formulas: true, record_delimiter: '\n' },
  );

/** @param files by name */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** `<name>.vl.json` and `<name>.svg`. @param alt the chart in words */
export const chartFiles = async (name: string, spec: TopLevelSpec, alt: string): Promise<Record<string, string>> => ({
  [`${name}.vl.json`]: `${JSON.stringify(spec, null, 2)}\n`,
  [`${name}.svg`]: standalone(await renderSvg(toVega(spec)), alt),
});

export const toVega = (spec: TopLevelSpec): Spec => compile(spec, { logger: logger(None) }).spec;

export const chartConfig = {
  font: FONT,
  view: { stroke: null },
  title: { fontSize: FONT_SIZE + 1, fontWeight: 600, color: palette.ink.light, anchor: 'start', offset: 10, limit: 480 },
  axis: axisStyle,
  legend: { title: null, labelFontSize: FONT_SIZE, labelColor: palette.ink.light },
} as const;
