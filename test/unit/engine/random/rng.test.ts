import { describe, expect, it } from 'vitest';
import { philox4x32 } from '../../../../src/engine/random/philox.ts';
import { fnv1a64, stream } from '../../../../src/engine/random/rng.ts';

const hex = (words: Iterable<number>) => [...words].map(w => w.toString(16).padStart(8, '0')).join(' ');

describe('philox4x32', () => {
  // Random123, tests/kat_vectors, the "philox4x32 10" lines: counter, key, output.
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [Array<number>(4).fill(0xffffffff), Array<number>(2).fill(0xffffffff), '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('gives the published known answer for counter %j, key %j', (counter, key, answer) => {
    const out = new Uint32Array(4);
    philox4x32(out, counter[0]!, counter[1]!, counter[2]!, counter[3]!, key[0]!, key[1]!);
    expect(hex(out)).toBe(answer);
  });
});

describe('fnv1a64', () => {
  // Test vectors of RFC 9923 / the FNV reference code (high word first).
  it.each([
    ['', 'cbf29ce4 84222325'],
    ['a', 'af63dc4c 8601ec8c'],
    ['b', 'af63df4c 8601f1a5'],
    ['foobar', '85944171 f73967e8'],
  ])('hashes %j as published', (text, hash) => {
    const [low, high] = fnv1a64(text);
    expect(hex([high, low])).toBe(hash);
  });

  it('hashes UTF-8 bytes like a big-integer computation', () => {
    const text = 'Größe 漢 🙂';
    let hash = 0xcbf29ce484222325n;
    for (const byte of Buffer.from(text, 'utf8')) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    const [low, high] = fnv1a64(text);
    expect((BigInt(high) << 32n) | BigInt(low)).toBe(hash);
  });
});

describe('stream', () => {
  it('maps (seed, purpose, step, block) to key and counter as documented', () => {
    const seed = 5 * 2 ** 32 + 7;
    const [low, high] = fnv1a64('mae/mask');
    const out = new Uint32Array(4);
    const expected: number[] = [];
    for (const block of [0, 1]) {
      philox4x32(out, block, low, high, 1234, 7, 5);
      expected.push(...[...out].map(word => (word >>> 8) / 2 ** 24));
    }
    expect([...stream(seed, 'mae/mask', 1234).uniforms(8)]).toEqual(expected);
  });

  it('keeps its numbers for good: results in every store depend on them', () => {
    const s = stream(0, 'test', 0);
    expect([...s.uniforms(3)].map(u => u * 2 ** 24)).toEqual([8357441, 16452594, 280113]);
    expect([...stream(1, 'test', 2).permutation(10)]).toEqual([9, 8, 0, 4, 7, 3, 2, 5, 1, 6]);
  });

  it('gives different numbers for another seed, purpose or step', () => {
    const draws = [stream(0, 'a', 0), stream(1, 'a', 0), stream(2 ** 32, 'a', 0), stream(0, 'b', 0), stream(0, 'a', 1), stream(0, 'aa', 0)].map(s => s.uniforms(4).join());
    expect(new Set(draws).size).toBe(draws.length);
  });

  it('draws uniforms with the mean, variance and lag-one correlation of independent uniforms', () => {
    const n = 200_000;
    const u = stream(3, 'moments', 0).uniforms(n);
    const mean = average(u);
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(average(u.map(x => (x - 0.5) ** 2)) - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / n));
    const lagged = average(u.subarray(1).map((x, i) => (x - 0.5) * (u[i]! - 0.5)));
    expect(Math.abs(lagged)).toBeLessThan((4 / 12) * Math.sqrt(1 / n));
  });

  it('draws normals with mean 0, variance 1, no skew and kurtosis 3', () => {
    const n = 200_000;
    const z = stream(4, 'moments', 0).normals(n);
    const moment = (k: number) => average(z.map(x => x ** k));
    expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(1 / n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
    const pairs = average(Float32Array.from({ length: n / 2 }, (_, i) => z[2 * i]! * z[2 * i + 1]!));
    expect(Math.abs(pairs)).toBeLessThan(4 * Math.sqrt(2 / n));
  });

  it('draws integers without bias (chi-square, 12 degrees of freedom, p > 0.001)', () => {
    const below = 13,
      n = 130_000;
    const counts = new Uint32Array(below);
    const s = stream(5, 'chi-square', 0);
    for (let i = 0; i < n; i++) counts[s.integer(below)]!++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - n / below) ** 2 / (n / below), 0);
    expect(chiSquare).toBeLessThan(32.9);
  });

  it('rejects words that would favour small remainders', () => {
    // 3 * 2^30: plain remainder would give values below 2^30 with probability 1/2 instead of 1/3.
    const below = 3 * 2 ** 30,
      n = 20_000;
    const s = stream(6, 'bias', 0);
    let small = 0;
    for (let i = 0; i < n; i++) if (s.integer(below) < 2 ** 30) small++;
    expect(Math.abs(small / n - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / n));
  });

  it('draws every permutation of three about equally often (chi-square, 5 degrees of freedom, p > 0.001)', () => {
    const n = 60_000;
    const counts = new Map<string, number>();
    for (let step = 0; step < n; step++) {
      const order = stream(7, 'permutations', step).permutation(3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - n / 6) ** 2 / (n / 6), 0);
    expect(chiSquare).toBeLessThan(20.5);
  });

  it.each([
    ['seed', -1, 0],
    ['seed', 0.5, 0],
    ['seed', 2 ** 53, 0],
    ['seed', Number.NaN, 0],
    ['step', 0, -1],
    ['step', 0, 1.5],
    ['step', 0, 2 ** 32],
  ])('refuses a bad %s (seed %d, step %d)', (name, seed, step) => {
    expect(() => stream(seed, 'x', step)).toThrow(new RegExp(`Expected ${name} to be an integer`));
  });

  it('refuses a bad bound', () => {
    for (const below of [0, -3, 1.5, 2 ** 32 + 1]) {
      expect(() => stream(0, 'x', 0).integer(below)).toThrow(`Expected below to be an integer from 1 to 4294967296, got ${below}.`);
    }
    expect(stream(0, 'x', 0).integer(1)).toBe(0);
  });
});

function average(values: Float32Array): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
