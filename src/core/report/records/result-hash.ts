/** A record against its own hash: a number that was changed by hand shows without the store. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../ablation/json.ts';
import type { ReportRecord } from './records.ts';

/** SHA-256 of the `result.json` that a store writes for these numbers. */
export const hashOfResult = (result: ReportRecord['result']): string =>
  createHash('sha256')
    .update(`${canonicalJson(result, 'result')}\n`)
    .digest('hex');

/** Records of finished stages whose `resultSha256` is absent or not that of their numbers. Who changes both is found by the store alone. */
export const misstatedResults = (records: readonly ReportRecord[]): ReportRecord[] => records.filter(({ state, result, resultSha256 }) => state === 'done' && resultSha256 !== hashOfResult(result));
