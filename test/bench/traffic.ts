/**
 * What crosses the boundary between JavaScript and TensorFlow: `node --import ./src/start/allow-typescript.mjs test/bench/traffic.ts [--profile mini,imagenet1k]
 * [--only pretrain,pack]`. Runs stages of each profile at their sizes, with batches of two images, and prints bytes and calls
 * as the boundary counted them: between steps, from the second to the last one. Start, checkpoints, evaluations on held-out
 * images and the final weights are no steps. Exit code 1 where more crosses than pixels and a few numbers.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { heading, textTable } from '../../src/cli/terminal/text.ts';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';
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

const { values } = parseArgs({ options: { profile: { type: 'string', default: PROFILES.join() }, only: { type: 'string', default: CASES.join() } } });
for (const profile of chosen(values.profile, PROFILES)) {
  const folder = mkdtempSync(join(tmpdir(), 'traffic-'));
  try {
    const rows: string[][] = [];
    for (const traffic of await profileCases(profile, chosen(values.only, CASES), folder)) {
      process.stderr.write(`${profile}: ${traffic.name}\n`);
      const counted = await count(traffic);
      rows.push(row(traffic, counted));
      if (!meetsGoal(traffic, counted)) process.exitCode = 1;
    }
    process.stdout.write(
      `${heading(`${profile}: bytes an image, calls a step, ${BATCH} images a batch`)}\n${textTable([['stage', 'pixels', 'in', 'in / pixels', 'out', 'calls', 'peak memory', 'goal'], ...rows])}\n\n`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
