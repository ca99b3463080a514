/** One line of metrics of a program. */
import { PermanentError } from '../ablation/errors.ts';
import { parseJson } from '../ablation/json.ts';
import type { Phase } from '../ablation/kind.ts';
import { shorten } from '../text/clean.ts';

export interface MetricLine {
  /** Steps done, of `steps`. */
  readonly step: number;
  readonly steps?: number;
  readonly phase?: Phase;
  /** Place of the numbers on the axis of all curves. */
  readonly epoch?: number;
  readonly numbers: Readonly<Record<string, number>>;
}

const PHASES: readonly unknown[] = ['load', 'trace', 'step', 'evaluate', 'save'] satisfies Phase[];
const METRIC_NAME = /^[A-Za-z][\w./-]{0,63}$/;

/** @param at where it stands, for errors. @throws PermanentError `BAD_METRICS`, `NOT_FINITE` */
export function parseMetricLine(text: string, at: string): MetricLine {
  const { phase, ...fields } = parseNumbers(text, at);
  if (phase !== undefined && !PHASES.includes(phase)) throw refusal(`${at}: phase: expected one of ${PHASES.join(', ')}, got ${shown(phase)}`);
  for (const [name, value] of Object.entries(fields)) {
    if (!METRIC_NAME.test(name)) throw refusal(`${at}: expected names of letters, digits and . _ - /, got ${shown(name)}`);
    requireFinite(value, `${at}: ${name}`);
  }
  const { step, steps, epoch, ...numbers } = fields as Record<string, number>;
  if (!isCount(step)) throw refusal(`${at}: step: expected the number of steps done, got ${shown(step)}`);
  if (steps !== undefined && !isCount(steps)) throw refusal(`${at}: steps: expected the number of all steps, got ${shown(steps)}`);
  const [first] = Object.keys(numbers);
  if (first !== undefined && epoch === undefined) throw refusal(`${at}: expected 'epoch', the place of ${first} on the axis of all curves, beside 'step', got none`);
  return { step, ...(steps !== undefined && { steps }), ...(phase !== undefined && { phase: phase as Phase }), ...(epoch !== undefined && { epoch }), numbers };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** As Python and others write numbers that JSON has not got. */
const NO_NUMBER = /(?<=[:,[\s])([+-]?(?:nan|inf(?:inity)?))(?=\s*[,}\]])/gi;
const IS_NO_NUMBER = /^[+-]?(?:nan|inf(?:inity)?)$/i;

/** A JSON object; a number that JSON has not got is in it as a text. @throws PermanentError `BAD_METRICS` */
export function parseNumbers(text: string, at: string): Record<string, unknown> {
  const value = jsonOf(text) ?? jsonOf(text.replaceAll(NO_NUMBER, '"$1"'));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw refusal(`${at}: expected a JSON object of numbers, got ${text.trim() === '' ? 'nothing' : shown(text)}`);
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** @throws PermanentError `NOT_FINITE`; `BAD_METRICS` for what is no number at all */
export function requireFinite(value: unknown, at: string): asserts value is number {
  if (Number.isFinite(value)) return;
  const infinite = typeof value === 'number' || (typeof value === 'string' && IS_NO_NUMBER.test(value));
  throw new PermanentError(infinite ? 'NOT_FINITE' : 'BAD_METRICS', `${at}: expected a finite number, got ${infinite ? String(value) : shown(value)}`);
}

const refusal = (text: string): PermanentError => new PermanentError('BAD_METRICS', text);

const SHOWN = 80;
const shown = (value: unknown): string => (value === undefined ? 'none' : shorten(typeof value === 'string' ? `'${value}'` : JSON.stringify(value), SHOWN));
