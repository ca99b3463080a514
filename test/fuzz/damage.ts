/** Damage to a file, as plain data: fast-check draws it, prints it and makes it smaller; `damaged` does it. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { edited, edits, textOf, treeOf, type Edit, type List, type Tree } from './tree.ts';

/** How a file holds a tree, so that it can be spoiled where its reader looks. */
export interface Codec {
  /** Undefined where there is none (any more). */
  read(bytes: Buffer): Tree | undefined;
  /** @param bytes from which the tree was read */
  write(tree: Tree, bytes: Buffer): Buffer;
}

/** `at`, `to` and `from` count bytes, around the end as often as it takes. */
export type Damage =
  | { readonly damage: 'flip'; readonly at: number; readonly bit: number }
  | { readonly damage: 'cut'; readonly at: number }
  | { readonly damage: 'remove' | 'duplicate'; readonly at: number; readonly length: number }
  | { readonly damage: 'move'; readonly at: number; readonly length: number; readonly to: number }
  /** As a page that was never written. */
  | { readonly damage: 'fill'; readonly at: number; readonly length: number; readonly byte: number }
  | { readonly damage: 'insert' | 'overwrite'; readonly at: number; readonly bytes: readonly number[] }
  /** The beginning of this file, the end of another. */
  | { readonly damage: 'splice'; readonly donor: number; readonly at: number; readonly from: number }
  | { readonly damage: 'integer'; readonly at: number; readonly bytes: 1 | 2 | 4 | 8; readonly value: bigint; readonly little: boolean }
  | { readonly damage: 'encode'; readonly as: keyof typeof ENCODINGS }
  | { readonly damage: 'edit'; readonly edit: Edit };

const ENCODINGS = {
  'byte order mark': (bytes: Buffer) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
  CRLF: (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
  'UTF-16': (bytes: Buffer) => Buffer.from(bytes.toString('latin1'), 'utf16le'),
  'UTF-8 twice': (bytes: Buffer) => Buffer.from(bytes.toString('latin1'), 'utf8'),
  gzip: (bytes: Buffer) => gzipSync(bytes),
  NULs: (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(512)]),
  'no newline': (bytes: Buffer) => bytes.subarray(0, bytes.at(-1) === 0x0a ? -1 : undefined),
} as const;

const EXTREMES = [0n, 1n, 2n ** 7n - 1n, 2n ** 8n - 1n, 2n ** 15n, 2n ** 16n - 1n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 60n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];

/** One to three of them, one after the other. */
export function damages(codec: Codec | undefined): fc.Arbitrary<Damage[]> {
  const anywhere = fc.nat(2 ** 31 - 1);
  const length = fc.oneof(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 5000 }));
  const kind = <K extends string>(...kinds: K[]): fc.Arbitrary<K> => fc.constantFrom(...kinds);
  const byBytes: fc.WeightedArbitrary<Damage>[] = [
    { weight: 3, arbitrary: fc.record({ damage: kind('flip'), at: anywhere, bit: fc.nat(7) }) },
    { weight: 2, arbitrary: fc.record({ damage: kind('cut'), at: anywhere }) },
    { weight: 2, arbitrary: fc.record({ damage: kind('remove', 'duplicate'), at: anywhere, length }) },
    { weight: 1, arbitrary: fc.record({ damage: kind('move'), at: anywhere, length, to: anywhere }) },
    { weight: 1, arbitrary: fc.record({ damage: kind('fill'), at: anywhere, length, byte: fc.constantFrom(0, 0xff, 0x20, 0x30) }) },
    { weight: 3, arbitrary: fc.record({ damage: kind('insert', 'overwrite'), at: anywhere, bytes: fc.array(fc.nat(255), { minLength: 1, maxLength: 8 }) }) },
    { weight: 1, arbitrary: fc.record({ damage: kind('splice'), donor: fc.nat(100), at: anywhere, from: anywhere }) },
    // Lengths stand at the beginning.
    {
      weight: 2,
      arbitrary: fc.record({
        damage: kind('integer'),
        at: fc.oneof(fc.nat(24), anywhere),
        bytes: fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
        value: fc.constantFrom(...EXTREMES),
        little: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ damage: kind('encode'), as: fc.constantFrom(...(Object.keys(ENCODINGS) as (keyof typeof ENCODINGS)[])) }) },
  ];
  const byTree: fc.WeightedArbitrary<Damage>[] = codec ? [{ weight: 12, arbitrary: fc.record({ damage: kind('edit'), edit: edits('text') }) }] : [];
  return fc.array(fc.oneof(...byBytes, ...byTree), { minLength: 1, maxLength: 3 });
}

/** @param donors other valid files of the format */
export function damaged(file: Buffer, list: readonly Damage[], donors: readonly Buffer[], codec: Codec | undefined): Buffer {
  return list.reduce((bytes, damage) => applied(bytes, damage, donors, codec), file);
}

function applied(bytes: Buffer, d: Damage, donors: readonly Buffer[], codec: Codec | undefined): Buffer {
  const at = 'at' in d ? d.at % Math.max(1, bytes.length) : 0;
  const head = bytes.subarray(0, at);
  switch (d.damage) {
    case 'flip':
      return overwritten(bytes, at, [(bytes[at] ?? 0) ^ (1 << d.bit)]);
    case 'cut':
      return head;
    case 'remove':
      return Buffer.concat([head, bytes.subarray(at + d.length)]);
    case 'duplicate':
      return Buffer.concat([bytes.subarray(0, at + d.length), bytes.subarray(at)]);
    case 'move': {
      const rest = Buffer.concat([head, bytes.subarray(at + d.length)]),
        to = d.to % Math.max(1, rest.length);
      return Buffer.concat([rest.subarray(0, to), bytes.subarray(at, at + d.length), rest.subarray(to)]);
    }
    case 'fill':
      return overwritten(bytes, at, new Array<number>(Math.min(d.length, bytes.length - at)).fill(d.byte));
    case 'insert':
      return Buffer.concat([head, Buffer.from(d.bytes), bytes.subarray(at)]);
    case 'overwrite':
      return overwritten(bytes, at, d.bytes);
    case 'splice': {
      const donor = donors.length === 0 ? bytes : donors[d.donor % donors.length]!;
      return Buffer.concat([head, donor.subarray(d.from % Math.max(1, donor.length))]);
    }
    case 'integer':
      return overwritten(bytes, at, integerBytes(d.value, d.bytes, d.little));
    case 'encode':
      return ENCODINGS[d.as](bytes);
    case 'edit': {
      const tree = codec?.read(bytes);
      return tree && codec ? codec.write(edited(tree, d.edit), bytes) : bytes;
    }
  }
}

const overwritten = (bytes: Buffer, at: number, by: readonly number[]): Buffer => Buffer.concat([bytes.subarray(0, at), Buffer.from(by), bytes.subarray(at + by.length)]);

function integerBytes(value: bigint, size: number, little: boolean): number[] {
  const bytes = Array.from({ length: size }, (_, i) => Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 0xffn));
  return little ? bytes : bytes.reverse();
}

function parsed(text: string): Tree | undefined {
  try {
    return treeOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export const jsonFile: Codec = {
  read: bytes => (bytes.length < MOST_BYTES ? parsed(bytes.toString('utf8')) : undefined),
  write: tree => Buffer.from(`${textOf(tree)}\n`),
};

/** A list of lines; those that do not parse remain what they are. */
export const jsonLines: Codec = {
  read: bytes => {
    if (bytes.length >= MOST_BYTES) return undefined;
    const lines = bytes
      .toString('utf8')
      .split('\n')
      .filter(line => line !== '');
    return { type: 'list', items: lines.map(line => parsed(line) ?? { type: 'leaf', text: line, value: line }) } satisfies List;
  },
  write: tree => Buffer.from(tree.type === 'list' ? tree.items.map(line => `${textOf(line)}\n`).join('') : `${textOf(tree)}\n`),
};

/** What an earlier edit nested twenty thousand deep is not walked again. */
const MOST_BYTES = 20_000;
