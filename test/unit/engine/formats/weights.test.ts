import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { readSafetensors, writeSafetensors } from '../../../../src/engine/formats/safetensors.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { fromTensors, loadParams, readWeights, saveParams, toTensors, toVariables, type Weights } from '../../../../src/engine/formats/weights.ts';

const weights: Weights = {
  'head.weight': { shape: [2, 3], data: Float32Array.of(1, -0, 3.5, 1e-40, Infinity, 6) },
  scale: { shape: [], data: Float32Array.of(0.1) },
  none: { shape: [0, 4], data: new Float32Array() },
};

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weights-'));
  await loadEngine({ device: 'cpu', threads: 1 });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('weights', () => {
  it('go into tensors and variables and back bit for bit', () => {
    for (const upload of [toTensors, toVariables]) {
      const before = tf.memory().numTensors;
      const params = upload(weights);
      expect(tf.memory().numTensors).toBe(before + 3);
      expect(fromTensors(params)).toEqual(weights);
      tf.dispose(params);
    }
  });

  it('can be the variables of two models of one process', () => {
    const one = toVariables(weights),
      other = toVariables(weights);
    one['scale']!.assign(tf.scalar(2));
    expect(other['scale']!.dataSync()[0]).toBe(Math.fround(0.1));
    tf.dispose([one, other]);
  });

  it('are saved as float32 and loaded', () => {
    const path = join(folder, 'model.safetensors');
    const params = toVariables(weights);
    saveParams(path, params, { step: '7' });
    expect(readSafetensors(path).metadata).toEqual({ step: '7' });
    expect([...readSafetensors(path).tensors.values()].every(t => t.dtype === 'F32')).toBe(true);
    const loaded = loadParams(path);
    expect(fromTensors(loaded)).toEqual(weights);
    tf.dispose([params, loaded]);
  });

  it('of other float types are widened; integers are refused', () => {
    const path = join(folder, 'half.safetensors');
    writeSafetensors(path, new Map([['h', { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) }]]));
    expect(readWeights(path)).toEqual({ h: { shape: [2], data: Float32Array.of(1, -2) } });
    writeSafetensors(path, new Map([['i', { dtype: 'I64', shape: [1], data: BigInt64Array.of(1n) }]]));
    expect(() => readWeights(path)).toThrow(`Expected "i" of ${path} to be floating-point (F64, F32, F16, BF16), got I64.`);
  });

  it('that are not float32 in the engine are refused by name', () => {
    const labels = tf.tensor1d([1, 2], 'int32');
    expect(() => fromTensors({ labels })).toThrow('Expected "labels" to be float32, got int32.');
    labels.dispose();
  });
});
