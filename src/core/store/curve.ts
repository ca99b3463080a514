/** One curve from several attempts. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricRecord } from '../ablation/kind.ts';
import { StoreError } from './errors.ts';
import { attemptFiles } from './layout.ts';
import { readLines, readParsed } from './read.ts';
import { metricLine, resumedFile, type ResumedFrom } from './records.ts';

/**
 * Records of `attempt`, before them those of the attempt it resumed from up to the step of that checkpoint, and so on.
 * What an attempt did after the checkpoint that its successor resumed from was done again, and counts only there.
 */
export function stitch(attemptDir: (attempt: number) => string, attempt: number): MetricRecord[] {
  const own = readMetrics(attemptDir(attempt));
  const from = resumedFrom(attemptDir(attempt));
  if (!from) return own;
  if (from.attempt >= attempt || !existsSync(attemptDir(from.attempt))) {
    throw new StoreError('STORE_DAMAGED', `${attemptDir(attempt)}: expected to resume from an earlier attempt that is there, got ${from.attempt}`);
  }
  const before = stitch(attemptDir, from.attempt).filter(r => r.step <= from.step);
  return [...before, ...own.filter(r => r.step > from.step)];
}

/** Null when the attempt began at the start, or has not asked for a checkpoint yet. */
function resumedFrom(dir: string): ResumedFrom {
  return readParsed(resumedFile, join(dir, attemptFiles.resumed))?.from ?? null;
}

function readMetrics(dir: string): MetricRecord[] {
  const path = join(dir, attemptFiles.metrics);
  return readLines(path).map((line, i) => {
    const record = metricLine.safeParse(line);
    if (!record.success) throw new StoreError('STORE_DAMAGED', `${path}, line ${i + 1}: expected numbers with step and epoch`);
    return record.data;
  });
}
