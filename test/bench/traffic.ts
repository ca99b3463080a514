/**
 * What crosses the boundary between JavaScript and TensorFlow: `node --import ./src/start/allow-typescript.mjs test/bench/traffic.ts [--profile mini,imagenet1k]
 * [--only pretrain,pack] [--reports <folder>]`. Runs stages of each profile at their sizes, with batches of two images, and prints bytes and calls
 * as the boundary counted them: between steps, from the second to the last one. Start, checkpoints, evaluations on held-out
 * images and the final weights are no steps. All of it is written as `traffic.md`. Exit code 1 where more crosses than pixels and a few numbers.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { heading, textTable } from '../../src/cli/terminal/text.ts';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';
import { markdownTable, writeFiles } from './files.ts';
import { BATCH, CASES, PROFILES, profileCases, type TrafficCase } from './traffic/cases.ts';
import type { Counted, CountRequest } from './traffic/count.ts';

/** Bytes into TensorFlow for each byte of pixels; and out of it, for an image. */
const MOST_IN = 1.2;
const MOST_OUT = 1000;

const COUNT = fileURLToPath(new URL('traffic/count.ts', import.meta.url));

async function count(traffic: TrafficCase): Promise<Counted> {
  const request: CountRequest = { traffic, threads: availableParallelism() };
  const { stdout } = await execa(process.execPath, ['--import', ALLOW_TYPESCRIPT, COUNT], { input: JSON.stringify(request) });
  return JSON.parse(stdout) as Counted;
}

const meetsGoal = ({ pixels }: TrafficCase, { bytesIn, bytesOut }: Counted): boolean => bytesIn <= BATCH * MOST_IN * pixels && bytesOut <= BATCH * MOST_OUT;

function row(traffic: TrafficCase, counted: Counted): string[] {
  const { pixels, stages, name } = traffic,
    { calls, peakBytes } = counted;
  const [bytesIn, bytesOut] = [counted.bytesIn / BATCH, counted.bytesOut / BATCH];
  const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
  return [
    stages.length > 1 ? `${name} of ${stages.length}` : name,
    whole(pixels),
    whole(bytesIn),
    (bytesIn / pixels).toFixed(3),
    whole(bytesOut),
    whole(calls),
    `${whole(peakBytes / 2 ** 20)} MB`,
    meetsGoal(traffic, counted) ? 'ok' : 'MISSED',
  ];
}

function chosen<T extends string>(list: string, known: readonly T[]): T[] {
  const names = list.split(',');
  const unknown = names.find(name => !known.some(other => other === name));
  if (unknown !== undefined) throw new Error(`Expected of ${known.join(', ')}, got '${unknown}'.`);
  return known.filter(name => names.includes(name));
}

const HEAD = ['stage', 'pixels', 'in', 'in / pixels', 'out', 'calls', 'peak memory', 'goal'];

const { values } = parseArgs({
  options: { profile: { type: 'string', default: PROFILES.join() }, only: { type: 'string', default: CASES.join() }, reports: { type: 'string', default: 'reports/bench' } },
});
const profiles = chosen(values.profile, PROFILES),
  cases = chosen(values.only, CASES);
const tables = new Map<string, string[][]>();
for (const profile of profiles) {
  const folder = mkdtempSync(join(tmpdir(), 'traffic-'));
  try {
    const rows: string[][] = [];
    for (const traffic of await profileCases(profile, cases, folder)) {
      process.stderr.write(`${profile}: ${traffic.name}\n`);
      const counted = await count(traffic);
      rows.push(row(traffic, counted));
      if (!meetsGoal(traffic, counted)) process.exitCode = 1;
    }
    tables.set(profile, [HEAD, ...rows]);
    process.stdout.write(`${heading(`${profile}: bytes an image, calls a step, ${BATCH} images a batch`)}\n${textTable([HEAD, ...rows])}\n\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const HOW =
  `Bytes an image and calls a step, with ${BATCH} images a batch, as the boundary between JavaScript and TensorFlow counted them between the steps of real stages. ` +
  `\`pixels\` are bytes of one image, and of the student’s own where it has one. Goal: in at most ${MOST_IN} times the pixels, out at most ${MOST_OUT} bytes. ` +
  'Peak memory is that of the process, with so few images a batch.';

if (profiles.length === PROFILES.length && cases.length === CASES.length) {
  const text = ['# What crosses between JavaScript and TensorFlow', 'Written by `make bench-traffic`.', HOW, ...[...tables].flatMap(([profile, rows]) => [`## ${profile}`, markdownTable(rows)])];
  writeFiles(values.reports, { 'traffic.md': `${text.join('\n\n')}\n` });
  process.stderr.write(`Report: ${values.reports}/traffic.md\n`);
}
