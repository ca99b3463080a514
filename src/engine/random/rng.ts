/**
 * Random numbers as a function of (seed, purpose, step): nothing is carried from one step to the next, so a resumed run,
 * a packed run and an uninterrupted solo run draw the same numbers, in any process and in any order.
 *
 * The mapping, which is part of every stage's semantics (changing it changes results):
 *
 * | Philox4x32-10 word | content |
 * | --- | --- |
 * | key 0, key 1     | low and high 32 bits of the seed |
 * | counter 0        | index of the block of four words within the stream, from 0 |
 * | counter 1, 2     | low and high 32 bits of FNV-1a (64 bits) of the purpose's UTF-8 bytes |
 * | counter 3        | step |
 *
 * Words are consumed in order. A uniform takes one word; normals take two words for each pair (Box-Muller).
 */
import { philox4x32 } from './philox.ts';

/** A sequence of random numbers. Drawing n numbers at once gives the same numbers as drawing them one at a time. */
export interface Stream {
  /** Uniform in [0, 1): a multiple of 2^-24, exactly representable in float32. */
  uniform(): number;
  /** `[n]` uniforms. */
  uniforms(n: number): Float32Array;
  /** Standard normal, rounded to float32; |x| <= 6.67. */
  normal(): number;
  /** `[n]` normals. */
  normals(n: number): Float32Array;
  /** Unbiased integer, 0 <= x < below, for below up to 2^32. */
  integer(below: number): number;
  /** Uniformly random permutation of 0 ... n-1 (Fisher-Yates). */
  permutation(n: number): Uint32Array;
}

const WORD = 2 ** 32;

/**
 * The stream of (seed, purpose, step). Purposes name what the numbers are for (`'drop-path'`, `'mae/mask'`); different
 * purposes give independent numbers.
 * @param seed integer, 0 <= seed < 2^53
 * @param step integer, 0 <= step < 2^32
 * @throws RangeError for a seed or step out of range: rounding one would silently share numbers with another
 */
export function stream(seed: number, purpose: string, step: number): Stream {
  refuse?.(purpose);
  expectInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  expectInteger('step', step, 0, WORD - 1);
  return new PhiloxStream(seed, purpose, step);
}

let refuse: ((purpose: string) => never) | undefined;

/**
 * Runs `f`, and calls `onStream`, which throws, for every stream that is asked for meanwhile: where a computation is recorded,
 * numbers drawn in it would be the same for ever.
 */
export function refusingStreams<T>(onStream: (purpose: string) => never, f: () => T): T {
  const before = refuse;
  refuse = onStream;
  try {
    return f();
  } finally {
    refuse = before;
  }
}

class PhiloxStream implements Stream {
  readonly #key0: number;
  readonly #key1: number;
  readonly #purpose: readonly [low: number, high: number];
  readonly #step: number;
  readonly #words = new Uint32Array(4);
  #block = 0;
  #used = 4;
  #spareNormal: number | undefined;

  constructor(seed: number, purpose: string, step: number) {
    this.#key0 = seed % WORD;
    this.#key1 = Math.floor(seed / WORD);
    this.#purpose = fnv1a64(purpose);
    this.#step = step;
  }

  #word(): number {
    if (this.#used === 4) {
      philox4x32(this.#words, this.#block++, this.#purpose[0], this.#purpose[1], this.#step, this.#key0, this.#key1);
      this.#used = 0;
    }
    return this.#words[this.#used++]!;
  }

  uniform(): number {
    return (this.#word() >>> 8) * 2 ** -24;
  }

  uniforms(n: number): Float32Array {
    const values = new Float32Array(n);
    for (let i = 0; i < n; i++) values[i] = this.uniform();
    return values;
  }

  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log((this.#word() + 1) / WORD)); // (0, 1]: the logarithm stays finite
    const angle = 2 * Math.PI * (this.#word() / WORD);
    this.#spareNormal = Math.fround(radius * Math.sin(angle));
    return Math.fround(radius * Math.cos(angle));
  }

  normals(n: number): Float32Array {
    const values = new Float32Array(n);
    for (let i = 0; i < n; i++) values[i] = this.normal();
    return values;
  }

  integer(below: number): number {
    expectInteger('below', below, 1, WORD);
    const fair = WORD - (WORD % below); // words from here on would favour the small remainders
    let word = this.#word();
    while (word >= fair) word = this.#word();
    return word % below;
  }

  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const taken = order[j]!;
      order[j] = order[i]!;
      order[i] = taken;
    }
    return order;
  }
}

const encoder = new TextEncoder();

/** FNV-1a with 64 bits (Fowler, Noll, Vo; RFC 9923) of the UTF-8 bytes of a text, as two 32-bit words. Prime 2^40 + 0x1b3. @internal */
export function fnv1a64(text: string): readonly [low: number, high: number] {
  let low = 0x84222325,
    high = 0xcbf29ce4;
  for (const byte of encoder.encode(text)) {
    low = (low ^ byte) >>> 0;
    const product = low * 0x1b3; // < 2^41: exact
    high = (Math.imul(high, 0x1b3) + Math.floor(product / WORD) + (low << 8)) >>> 0;
    low = product % WORD;
  }
  return [low, high];
}

function expectInteger(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`Expected ${name} to be an integer from ${min} to ${max}, got ${value}.`);
  }
}
