/**
 * What each second of all cores goes to in a whole sweep: `node --import ./src/start/allow-typescript.mjs test/bench/ledger.ts [--only mini,race]
 * [--reports <folder>]`. Runs the sweeps (of profile `mini`, some ten minutes, and that of the race) with a recorder in each of their
 * processes, on Linux with the CPU engine. Shares of parts are of this machine; other programs count as idle.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { textTable } from '../../src/cli/terminal/text.ts';
import { chartFiles, csv, markdownTable, writeFiles } from './files.ts';
import { ledgerAlt, ledgerChart } from './ledger/chart.ts';
import { ledger, type SweepLedger } from './ledger/parts.ts';
import { record } from './ledger/record.ts';
import { describeMachine } from './race/machine.ts';

const SWEEPS = {
  mini: ['--profile', 'mini'],
  race: ['--profile', 'bench', '--experiments', fileURLToPath(new URL('experiments', import.meta.url))],
} as const;
type SweepName = keyof typeof SWEEPS;

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));
const cores = availableParallelism();

async function sweepLedger(sweep: SweepName): Promise<SweepLedger> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-store-'));
  try {
    const recording = await record([ABLATE, 'sweep', ...SWEEPS[sweep], '--store', folder, '--no-report', '--devices', `cpu:${cores}x1`]);
    return { sweep, wallSeconds: recording.wallSeconds, parts: ledger(recording, cores) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rows(ledgers: readonly SweepLedger[]): string[][] {
  const names = [...new Set(ledgers.flatMap(({ parts }) => parts.map(({ name }) => name)))];
  const cell = ({ parts, wallSeconds }: SweepLedger, name: string): string => {
    const seconds = parts.find(part => part.name === name)?.seconds ?? 0;
    return `${((100 * seconds) / (cores * wallSeconds)).toFixed(1)} %`;
  };
  return [['', ...ledgers.map(({ sweep, wallSeconds }) => `${sweep}, ${wallSeconds.toFixed(0)} s`)], ...names.map(name => [name, ...ledgers.map(of => cell(of, name))])];
}

const HOW =
  `\`mini\` is \`ablate sweep --profile mini\`, \`race\` the sweep of [the race](README.md). Every part is time on a core, as the clocks of the threads count it; kernels are told apart by ` +
  'TensorFlow’s own profiler, JavaScript by samples of its stacks, a thousand a second. Evaluation holds its kernels. What no process of the sweep used is idle.';

const { values } = parseArgs({ options: { only: { type: 'string', default: Object.keys(SWEEPS).join() }, reports: { type: 'string', default: 'reports/bench' } } });
const chosen = (Object.keys(SWEEPS) as SweepName[]).filter(name => values.only.split(',').includes(name));
const machine = await describeMachine();
const ledgers: SweepLedger[] = [];
for (const sweep of chosen) {
  process.stderr.write(`The sweep of ${sweep} ...\n`);
  ledgers.push(await sweepLedger(sweep));
}
process.stdout.write(`${textTable(rows(ledgers))}\n`);
if (chosen.length === Object.keys(SWEEPS).length) {
  const setting = `${machine.cpu}, ${machine.cores} cores; other programs took ${Math.round(100 * machine.busy)} % of the processor before`;
  writeFiles(values.reports, {
    'ledger.md': `${['# What each second of all cores goes to', 'Written by `make bench-ledger`.', `- ${setting}`, '![Shares of a sweep](ledger.svg)', markdownTable(rows(ledgers)), HOW].join('\n\n')}\n`,
    'ledger.csv': csv([['sweep', 'part', 'core_seconds'], ...ledgers.flatMap(({ sweep, parts }) => parts.map(({ name, seconds }) => [sweep, name, Number(seconds.toFixed(3))]))]),
    ...(await chartFiles('ledger', ledgerChart(ledgers), ledgerAlt(ledgers))),
  });
  process.stderr.write(`Report: ${values.reports}/ledger.md\n`);
}
