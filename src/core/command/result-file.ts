/** The numbers that a program leaves at its end. */
import { readFileSync, statSync } from 'node:fs';
import { PermanentError } from '../ablation/errors.ts';
import type { MetricSpec, StageResult } from '../ablation/kind.ts';
import { suggest } from '../ablation/suggest.ts';
import { parseNumbers, requireFinite } from './metric-line.ts';

const MOST_BYTES = 1024 * 1024;

/** @throws PermanentError `NO_RESULT`, `BAD_RESULT`, `NOT_FINITE` where it is not exactly the numbers that the kind declares */
export function readResult(path: string, metrics: Readonly<Record<string, MetricSpec>>): StageResult {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new PermanentError('NO_RESULT', 'Expected a result in the file that ABLATE_RESULT names, got none: the program ended without an error, and wrote nothing there');
  if (!found.isFile() || found.size > MOST_BYTES) throw refusal(`expected a file of at most ${MOST_BYTES} bytes, got ${found.isFile() ? `one of ${found.size}` : 'something else'}`);
  const numbers = numbersOf(readFileSync(path, 'utf8'));
  const names = Object.keys(metrics);
  const problems = [
    ...names.filter(name => !Object.hasOwn(numbers, name)).map(name => `${name} is missing`),
    ...Object.keys(numbers)
      .filter(name => !names.includes(name))
      .map(name => `${name} is not declared${suggest(name, names)}`),
  ];
  if (problems.length > 0) throw refusal(`expected the numbers ${names.join(', ')}, got others: ${problems.join(', ')}`);
  return Object.fromEntries(names.map(name => [name, numberOf(numbers[name], name, metrics[name]!)]));
}

function numbersOf(text: string): Record<string, unknown> {
  try {
    return parseNumbers(text, 'Result');
  } catch (error) {
    throw new PermanentError('BAD_RESULT', (error as Error).message);
  }
}

function numberOf(value: unknown, name: string, { unit }: MetricSpec): number {
  requireFinite(value, `Result: ${name}`);
  if (unit === 'fraction' && (value < 0 || value > 1)) throw refusal(`${name}: expected a fraction from 0 to 1, got ${value}${value > 1 && value <= 100 ? '; divide a percentage by 100' : ''}`);
  return value;
}

const refusal = (text: string): PermanentError => new PermanentError('BAD_RESULT', `Result: ${text}`);
