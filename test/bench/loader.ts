/**
 * The race of loaders: `node --import ./src/start/allow-typescript.mjs test/bench/loader.ts --help`. Images a second from files to batches, beside
 * torchvision's ImageFolder in a DataLoader. Exit code 1 where ours is slower, 2 for bad use or without PyTorch.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import pc from 'picocolors';
import { AblateError, UsageError } from '../../src/core/ablation/errors.ts';
import { textTable } from '../../src/cli/terminal/text.ts';
import { SetupError } from '../../src/setup/errors.ts';
import { findTimm } from '../helpers/timm/python.ts';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';
import { markdownTable, writeFiles } from './files.ts';
import { TASKS } from './loader/sides.ts';
import { describeMachine } from './race/machine.ts';
import { startPeer, type Command, type Peer } from './race/peer.ts';
import { machineLines } from './race/report.ts';
import { speedRatio, summarise, type Summary } from './race/statistics.ts';
import { spread, type Rows } from './race/tables.ts';
import { ourVersions } from './race/versions.ts';

const HELP = `The race of loaders: JPEG files of about 500 x 375 pixels and 110 kB to batches of 224 x 224, beside torchvision.

  --photos <folder>     photos that the files are made of (default: pictures of noise)
  --folder <folder>     files of your own, in train/<class>/ and val/<class>/, instead of made ones
  --rounds <n>          rounds of each case (default 5)
  --seconds <n>         about so long for one side in a round (default 3)
  --reports <folder>    where loader.md is written (default reports/bench)
  --no-report           only print`;

const file = (name: string): string => fileURLToPath(new URL(`loader/${name}`, import.meta.url));

const BATCH = 64;
/** Batches that come before the clock starts: those that were made while a side began. */
const WARM = 4;
/** Of the folder: classes, and files of each in `train` and in `val`. */
const FOLDER = ['5', '40', '20'];

type Side = 'ours' | 'theirs';
const SIDES: readonly Side[] = ['ours', 'theirs'];
type Rates = Readonly<Record<Side, readonly number[]>>;

/** Both sides, with as many threads or processes to load with as they have cores. */
interface Lane {
  readonly cores: number;
  readonly peers: Readonly<Record<Side, Peer>>;
}

interface Options {
  readonly photos: string | undefined;
  readonly folder: string | undefined;
  readonly rounds: number;
  readonly seconds: number;
  readonly reports: string | undefined;
}

function parseOptions(argv: readonly string[]): Options {
  const count = (text: string, option: string): number => {
    if (!/^[1-9]\d*$/.test(text)) throw new UsageError('BAD_OPTION', `${option}: expected a whole number of at least 1, got '${text}'`);
    return Number(text);
  };
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options: { photos: text, folder: text, rounds: text, seconds: text, reports: text, 'no-report': { type: 'boolean' } } });
    return {
      photos: values.photos,
      folder: values.folder,
      rounds: count(values.rounds ?? '5', '--rounds'),
      seconds: count(values.seconds ?? '3', '--seconds'),
      reports: values['no-report'] === true ? undefined : (values.reports ?? 'reports/bench'),
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError('BAD_OPTION', `${(error as Error).message}\n${HELP}`, { cause: error });
  }
}

async function race(options: Options): Promise<number> {
  const { rounds, seconds, reports } = options;
  const timm = await findTimm(say); // its environment has torchvision
  if ('missing' in timm) throw new SetupError('NO_PYTHON', timm.missing, 'name a Python that has PyTorch: TORCH_PYTHON=/path/to/python');
  const made = mkdtempSync(join(tmpdir(), 'photos-'));
  const lanes: Lane[] = [];
  try {
    const folder = options.folder === undefined ? await makePhotos(made, timm.python, options.photos) : resolve(options.folder);
    const machine = await describeMachine();
    let versions = {};
    for (const cores of [1, 2].filter(n => n <= machine.cores)) {
      const lane = { cores, peers: { ours: await peerOn(cores, 'ours', OURS), theirs: await peerOn(cores, 'torchvision', { file: timm.python, args: [file('torchvision_peer.py')] }) } };
      lanes.push(lane);
      for (const side of SIDES) versions = { ...versions, ...(await lane.peers[side].ask<{ versions?: object }>('open', { folder, workers: cores, batch: BATCH })).versions };
    }
    const decoding = await interleave({ rounds, seconds }, side => async images => timed(images, await lanes[0]!.peers[side].ask('decode', { images })));
    const rows: Rows[number][] = [HEAD, row('reading and decoding alone', 1, decoding)];
    const slower: string[] = [];
    for (const { cores, peers } of lanes) {
      for (const task of TASKS) {
        say(`${task}, ${cores} of the cores`);
        const rates = await interleave({ rounds, seconds }, side => async images => {
          const batches = Math.ceil(images / BATCH);
          return timed(batches * BATCH, await peers[side].ask('load', { task, warm: WARM, batches }));
        });
        rows.push(row(task, cores, rates, waitingFor(rates)));
        if (ratioOf(rates).median < 1) slower.push(`${task} on ${cores}`);
      }
    }
    const lines = machineLines(machine, { ...versions, ...ourVersions() });
    for (const line of [...lines, '', textTable(rows)]) print(line);
    if (reports !== undefined) {
      writeFiles(reports, { 'loader.md': report(lines, rows, options) });
      say(`Report: ${reports}/loader.md`);
    }
    for (const what of slower) say(`${pc.red('error')} Expected at least as many images a second as torchvision, got fewer: ${what}`);
    return slower.length > 0 ? 1 : 0;
  } finally {
    for (const { peers } of lanes) for (const side of SIDES) await peers[side].close();
    rmSync(made, { recursive: true });
  }
}

/** What a side did in a time. */
interface Timed {
  readonly images: number;
  readonly seconds: number;
}

const timed = (images: number, { seconds }: { readonly seconds: number }): Timed => ({ images, seconds });

const TRIED = 2 * BATCH;

/** Images a second of both, which take turns: whatever slows the machine down for a while slows both. */
async function interleave({ rounds, seconds }: Pick<Options, 'rounds' | 'seconds'>, measure: (side: Side) => (images: number) => Promise<Timed>): Promise<Rates> {
  const rates: Record<Side, number[]> = { ours: [], theirs: [] };
  const counts = { ours: 0, theirs: 0 };
  const rateOf = ({ images, seconds: taken }: Timed): number => images / taken;
  for (const side of SIDES) counts[side] = Math.ceil(rateOf(await measure(side)(TRIED)) * seconds);
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? SIDES : SIDES.toReversed()) rates[side].push(rateOf(await measure(side)(counts[side])));
  }
  return rates;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const OURS: Command = { file: process.execPath, args: ['--import', ALLOW_TYPESCRIPT, file('ours.ts')] };

/** A side that may use so many cores: the first ones, where `taskset` is there to say so. */
async function peerOn(cores: number, name: string, { file: program, args }: Command): Promise<Peer> {
  const pinned = (await execa('taskset', ['--version'], { reject: false })).exitCode === 0;
  return startPeer(`${name} on ${cores}`, pinned ? { file: 'taskset', args: ['--cpu-list', `0-${cores - 1}`, program, ...args] } : { file: program, args });
}

/** Images a second that a current card asks for in a distillation, at least. */
const ASKED = 900;

const HEAD = ['', 'cores', 'ours, images/s', 'torchvision', 'times as fast', `waiting at ${ASKED} images/s`];

const ratioOf = ({ ours, theirs }: Rates): Summary =>
  speedRatio(
    ours.map(rate => 1 / rate),
    theirs.map(rate => 1 / rate),
  );

const row = (what: string, cores: number, rates: Rates, waiting = '-'): string[] => [
  what,
  String(cores),
  spread(summarise(rates.ours), 0),
  spread(summarise(rates.theirs), 0),
  spread(ratioOf(rates)),
  waiting,
];

/** Share of the time of a training that could take `ASKED` images a second. */
const waitingFor = ({ ours }: Rates): string => `${Math.round(100 * Math.max(0, 1 - summarise(ours).median / ASKED))} %`;

const HOW = [
  'Both sides read the same files and give batches of 64 images of 224 x 224. `training` is RandomResizedCrop and a flip, `distillation` the same and a copy with other colours, `evaluation` Resize to 256 and CenterCrop. ' +
    'torchvision normalises to float32 as its transforms do; our batches stay bytes, which a step normalises where it computes.',
  'Sides take turns, round by round. Clocks start when the first batches have come. Rates and ratios are medians with quartiles. On one core a side has that core and one thread or process that loads; on two, two of them.',
  'The first line is the bound: reading and decoding alone, in one thread.',
  `The last column is the share of its time that a training would wait for ours which could take ${ASKED} images a second, the least that a current card asks for in a distillation. A training's own is in \`ablate status\` and its metrics (\`waiting\`).`,
];

async function makePhotos(folder: string, python: string, photos: string | undefined): Promise<string> {
  say(`Making photos in ${folder} ...`);
  await execa(python, [file('photos.py'), folder, ...FOLDER, ...(photos === undefined ? [] : [photos])]);
  return folder;
}

const filesText = ({ folder, photos }: Options): string =>
  folder === undefined ? `files of about 500 x 375 pixels and 110 kB, colours of every second one at half the resolution, made of ${photos === undefined ? 'noise' : 'photos'}` : 'files of one’s own';

const report = (lines: readonly string[], rows: Rows, options: Options): string =>
  [
    '# Loading images',
    'Written by `make bench-loader`. Figures are of one machine at one time: compare ratios, not rates.',
    [...lines, filesText(options)].map(line => `- ${line}`).join('\n'),
    markdownTable(rows),
    HOW.map(line => `- ${line}`).join('\n'),
  ].join('\n\n') + '\n';

try {
  if (process.argv.includes('--help')) print(HELP);
  else process.exitCode = await race(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof AblateError)) throw error;
  say(`${pc.red('error')} ${error.message}`);
  process.exitCode = 2;
}
