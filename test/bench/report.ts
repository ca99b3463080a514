/**
 * Time to build and write a report: `node --import ./src/start/allow-typescript.mjs test/bench/report.ts`. Expected on one core of a laptop: at most 5 s for
 * 2,000 finished stages, growing linearly. Where Chromium is, also how long the page takes to open. Ends with exit code 1
 * where a bound does not hold.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeReport } from '../../src/core/report/write.ts';
import { hasChromium, launch } from '../helpers/launch.ts';
import { gridInput } from '../helpers/report/grid.ts';

/** Of a grid of 83 arms, three stages each. */
const SEEDS = [1, 2, 4, 8];
const STAGES = 2_000;
const LIMIT_SECONDS = 5;
/** Seconds a stage at the most stages over those at the fewest. */
const LIMIT_RATIO = 1.5;
const REPEATS = 3;
const OPENED_MILLISECONDS = 1_000;
/** Of a page, at the most stages. */
const LIMIT_BYTES = 1_500_000;

const root = mkdtempSync(join(tmpdir(), 'bench-report-'));

/** Seconds of building, rendering and writing: by the clock or of this process, whichever is less, and the best of a few, as others use the machine, too. */
async function measure(seeds: number): Promise<{ stages: number; seconds: number; bytes: number; page: string }> {
  const input = gridInput(Array.from({ length: seeds }, (_, seed) => seed));
  const outDir = join(root, String(seeds));
  let seconds = Infinity;
  for (let i = 0; i < REPEATS; i++) {
    rmSync(outDir, { recursive: true, force: true });
    const began = performance.now(),
      cpu = process.cpuUsage();
    await writeReport({ ...input, adopted: [], provenance: {}, outDir });
    const { user, system } = process.cpuUsage(cpu);
    seconds = Math.min(seconds, (performance.now() - began) / 1e3, (user + system) / 1e6);
  }
  const page = join(outDir, 'index.html');
  return { stages: input.records.length, seconds, bytes: statSync(page).size, page };
}

/** Milliseconds from the request to a page that is loaded and whose script has run, the best of a few. */
async function opened(page: string): Promise<number> {
  const browser = await launch();
  let best = Infinity;
  for (let i = 0; i < REPEATS; i++) {
    const tab = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await tab.goto(pathToFileURL(page).href);
    best = Math.min(best, await tab.evaluate<number>("performance.getEntriesByType('navigation')[0].loadEventEnd"));
    await tab.close();
  }
  await browser.close();
  return best;
}

try {
  await measure(SEEDS[0]!);
  const rows = [];
  for (const seeds of SEEDS) {
    const row = await measure(seeds);
    rows.push(row);
    console.log(`${String(row.stages).padStart(6)} stages: ${row.seconds.toFixed(2)} s, ${((1e3 * row.seconds) / row.stages).toFixed(2)} ms a stage, page ${(row.bytes / 1e6).toFixed(2)} MB`);
  }
  const [first, last] = [rows[0]!, rows.at(-1)!];
  const ratio = last.seconds / last.stages / (first.seconds / first.stages);
  const atLimit = (last.seconds * STAGES) / last.stages;
  const milliseconds = hasChromium ? await opened(last.page) : undefined;
  const ok = last.bytes <= LIMIT_BYTES && atLimit <= LIMIT_SECONDS && ratio <= LIMIT_RATIO && (milliseconds ?? 0) <= OPENED_MILLISECONDS;
  console.log(
    `${ok ? 'ok' : 'TOO MUCH'}: ${atLimit.toFixed(2)} s for ${STAGES} stages (limit ${LIMIT_SECONDS} s); a stage takes ${ratio.toFixed(2)} times as long as at ${first.stages} (limit ${LIMIT_RATIO}); page ${(last.bytes / 1e6).toFixed(2)} MB (limit ${LIMIT_BYTES / 1e6} MB); ` +
      (milliseconds === undefined ? 'no Chromium to open it in' : `opened in ${milliseconds.toFixed(0)} ms (limit ${OPENED_MILLISECONDS} ms)`),
  );
  if (!ok) process.exitCode = 1;
} finally {
  rmSync(root, { recursive: true });
}
