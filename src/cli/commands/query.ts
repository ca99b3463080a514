/** `ablate query "select ..."`: SQL over a store. */
import { stringify } from 'csv-stringify/sync';
import type { Command } from '@commander-js/extra-typings';
import { UsageError } from '../../core/ablation/errors.ts';
import { openStoreReadOnly } from '../../core/store/store.ts';
import { TABLES } from '../../core/store/tables.ts';
import type { QueryResult } from '../../core/inspect/database.ts';
import { harmless, harmlessJson, shorten } from '../../core/text/clean.ts';
import { plural } from '../../core/text/format.ts';
import { pathOf } from '../options/paths.ts';
import { columns as screenWidth, heading, textTable, warn, wrap } from '../terminal/text.ts';
import { pc } from '../terminal/colours.ts';
import { print, printData } from '../terminal/output.ts';

const defineQuery = (program: Command) =>
  program
    .command('query')
    .description('ask the store by SQL (DuckDB); without a statement list its views')
    .argument('[sql]', 'e.g. "select kind, state, count(*) from runs group by all"')
    .option('--store <folder>', 'where runs are kept', pathOf('--store'), 'runs')
    .option('--csv', 'as CSV, with all digits; only for a terminal are control characters replaced')
    .option('--json', 'as JSON: an array with an object for each row');

export function registerQuery(program: Command): void {
  defineQuery(program).action(async (sql, options) => {
    if (options.csv === true && options.json === true) throw new UsageError('BAD_OPTION', 'Expected --csv or --json, got both');
    if (sql === undefined) {
      print(`${viewsText()}\n`);
      return;
    }
    const store = openStoreReadOnly(options.store, { warn });
    const { query } = await import('../../core/inspect/database.ts');
    const result = await query(sql, store, TABLES, warn);
    if (options.csv === true) printData(csvText(result));
    else print(options.json === true ? jsonText(result) : tableText(result));
  });
}

const EXAMPLES = [
  `select profile, ablation, arm, count(*) as seeds, round(avg(value), 4) as accuracy
   from arms join results using (key) where role = 'evaluate' and name = 'accuracy'
   group by all order by accuracy desc`,
  `select label, state, attempts, wall_seconds, recipe->>'$.target.family' as target
   from runs where kind = 'distill' order by wall_seconds desc limit 10`,
];

function viewsText(): string {
  const views = TABLES.map(({ name, help, columns }) =>
    [
      wrap(`${heading(name)}  ${pc.dim(help)}`, screenWidth(), '    '),
      `    ${wrap(columns.map(c => `${c.name} ${pc.dim(c.type.toLowerCase())}`).join(', '), screenWidth() - 4, '    ')}`,
      ...columns.filter(c => c.help !== '').map(c => pc.dim(`      ${c.name.padEnd(18)} ${c.help}`)),
    ].join('\n'),
  );
  return `${views.join('\n\n')}\n\n${EXAMPLES.map(sql => `  ablate query "${sql}"`).join('\n\n')}`;
}

/** Longer cells are cut: `--csv` and `--json` give them whole. */
const WIDEST = 60;

function tableText({ columns, rows }: QueryResult): string {
  const cells = rows.map(row => row.map((value, i) => (value === null ? pc.dim('null') : shorten(cellText(value, columns[i]!.isNumber), WIDEST))));
  const left = columns.flatMap((c, i) => (c.isNumber ? [] : [i]));
  return `${columns.length === 0 ? '' : `${textTable([columns.map(c => pc.dim(c.name)), ...cells], left)}\n`}${pc.dim(`  ${plural(rows.length, 'row')}`)}\n`;
}

/** Numbers with the digits that a screen needs. */
function cellText(value: unknown, isNumber: boolean): string {
  if (isNumber && typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  return harmless(asText(value)).replace(/[\n\t]+/g, ' '); // a cell stays on its line
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const csvText = ({ columns, rows }: QueryResult): string =>
  stringify([columns.map(c => c.name), ...rows.map(row => row.map(value => (value === null ? '' : asText(value))))], { record_delimiter: '\n' });

const jsonText = ({ columns, rows }: QueryResult): string =>
  `${harmlessJson(
    JSON.stringify(
      rows.map(row => Object.fromEntries(columns.map((c, i) => [c.name, row[i]]))),
      undefined,
      2,
    ),
  )}\n`;
