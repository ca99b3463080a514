/**
 * Golden data and the comparison with it. A fixture is `X.safetensors` with `X.json` beside it, in the folder that the
 * environment variable FIXTURES names (default: test/fixtures).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { loadEngine, type Engine } from '../../../src/engine/backend.ts';
import { readSafetensors, toFloat32, type StoredTensor } from '../../../src/engine/formats/safetensors.ts';
import * as tf from '../../../src/engine/tf.ts';

const folder = process.env['FIXTURES'] ?? join(import.meta.dirname, '../../fixtures');

/** The native engine, on the CPU unless PARITY_DEVICE is `gpu`; call in `beforeAll` of tests that run ops. */
export function startEngine(): Promise<Engine> {
  return loadEngine({ device: process.env['PARITY_DEVICE'] === 'gpu' ? 'gpu' : 'cpu', threads: 1 });
}

export function fixturePath(name: string): string {
  return join(folder, name);
}

/** The parsed content of a fixture that is JSON alone. The caller states its type. */
export function readFixtureJson(name: string): unknown {
  return JSON.parse(readFileSync(fixturePath(`${name}.json`), 'utf8'));
}

/** Values and shape outside the engine, for exact comparisons. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * One fixture. `Json` is the type of its JSON; `config` is complete, so tests take all dimensions from it.
 */
export interface Fixture<Json extends { readonly config?: unknown }> {
  readonly json: Json;
  readonly config: Json['config'];
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  /** A tensor of the fixture in the engine: float32, int32 or bool. */
  tensor(name: string): tf.Tensor;
  /** All tensors whose names start with the prefix, at least one, by the rest of their names: `group('param/')['cls_token']`. */
  group(prefix: string): Record<string, tf.Tensor>;
}

export function fixture<Json extends { readonly config?: unknown } = { readonly config: Record<string, unknown> }>(name: string): Fixture<Json> {
  const json = readFixtureJson(name) as Json;
  const tensors = Object.fromEntries(readSafetensors(fixturePath(`${name}.safetensors`)).tensors);
  const tensor = (key: string) => {
    const stored = tensors[key];
    if (!stored) throw new Error(`Expected fixture ${name} to have the tensor "${key}", got ${Object.keys(tensors).join(', ')}.`);
    return toTensor(stored);
  };
  return {
    json,
    config: json.config,
    tensors,
    tensor,
    group: prefix => {
      const keys = Object.keys(tensors).filter(key => key.startsWith(prefix));
      // An empty group would pass every test that goes through it.
      if (keys.length === 0) throw new Error(`Expected fixture ${name} to have tensors "${prefix}…", got ${Object.keys(tensors).join(', ')}.`);
      return Object.fromEntries(keys.map(key => [key.slice(prefix.length), tensor(key)]));
    },
  };
}

function toTensor(stored: StoredTensor): tf.Tensor {
  const shape = [...stored.shape];
  switch (stored.dtype) {
    case 'BOOL':
      return tf.tensor(stored.data, shape, 'bool');
    case 'U8':
    case 'I8':
    case 'U16':
    case 'I16':
    case 'I32':
      return tf.tensor(Int32Array.from(stored.data), shape, 'int32');
    case 'U32':
    case 'I64':
    case 'U64':
      throw new Error(`Expected a dtype that the engine has, got ${stored.dtype}.`);
    default:
      return tf.tensor(toFloat32(stored), shape, 'float32');
  }
}

type Comparable = tf.Tensor | Values;

/** max|a - b| / max|b|: the metric of all tolerances. A NaN anywhere gives NaN. */
export function relmax(actual: Comparable, expected: Comparable): number {
  return compare(valuesOf(actual).data, valuesOf(expected).data).relmax;
}

/**
 * Fails unless shapes are equal and relmax is within the tolerance. Tolerance 0 demands equal values.
 * @param name what is compared, for the message
 */
export function expectClose(actual: Comparable, expected: Comparable, tolerance: number, name = 'tensor'): void {
  const a = valuesOf(actual),
    b = valuesOf(expected);
  const shapes = `${name}: got shape [${a.shape.join()}], expected [${b.shape.join()}]`;
  expect(a.shape, shapes).toEqual(b.shape);
  const { relmax, worst } = compare(a.data, b.data);
  const where = `worst at flat index ${worst}: got ${a.data[worst]}, expected ${b.data[worst]}`;
  expect(relmax <= tolerance, `${shapes}: relmax ${relmax.toExponential(2)} > ${tolerance}; ${where}`).toBe(true);
}

/** `expectClose` with an absolute tolerance: max|a - b|. */
export function expectCloseAbsolute(actual: Comparable, expected: Comparable, tolerance: number, name = 'tensor'): void {
  const a = valuesOf(actual),
    b = valuesOf(expected);
  expect(a.shape, `${name}: shapes`).toEqual(b.shape);
  const { maxDifference, worst } = compare(a.data, b.data);
  const where = `worst at flat index ${worst}: got ${a.data[worst]}, expected ${b.data[worst]}`;
  expect(maxDifference <= tolerance, `${name}: absolute difference ${maxDifference.toExponential(2)} > ${tolerance}; ${where}`).toBe(true);
}

function valuesOf(value: Comparable): Values {
  return value instanceof tf.Tensor ? { shape: value.shape, data: value.dataSync() } : value;
}

function compare(actual: ArrayLike<number>, expected: ArrayLike<number>): { relmax: number; maxDifference: number; worst: number } {
  let maxDifference = 0,
    largest = 0,
    worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Object.is(actual[i], expected[i]) ? 0 : Math.abs(actual[i]! - expected[i]!);
    largest = Math.max(largest, Math.abs(expected[i]!));
    if (difference > maxDifference || Number.isNaN(difference)) {
      maxDifference = difference;
      worst = i;
      if (Number.isNaN(difference)) break;
    }
  }
  return { relmax: maxDifference === 0 ? 0 : maxDifference / largest, maxDifference, worst };
}
