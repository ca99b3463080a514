/**
 * `items.bin`: of each item that a stage tested whether it was right, one bit each, in the order of the test set. Four bytes hold the number of
 * items, the lowest first; then the bits, eight a byte, the first in the lowest place. What the last byte has left over is 0.
 */

const HEAD = 4;
/** Bytes of the largest file that is read: 128 million items. */
export const MOST_ITEM_BYTES = 16 * 1024 * 1024;

const bytesFor = (count: number): number => HEAD + Math.ceil(count / 8);

export function packItems(right: readonly boolean[]): Uint8Array {
  const bytes = Buffer.alloc(bytesFor(right.length));
  bytes.writeUInt32LE(right.length);
  right.forEach((isRight, i) => {
    if (isRight) bytes[HEAD + (i >> 3)]! |= 1 << (i & 7);
  });
  return bytes;
}

/** Undefined where the bytes are not what `packItems` gives for any items. */
export function unpackItems(bytes: Uint8Array): boolean[] | undefined {
  if (bytes.length < HEAD) return undefined;
  const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const left = count & 7;
  if (bytes.length !== bytesFor(count) || (left > 0 && bytes.at(-1)! >> left !== 0)) return undefined;
  return Array.from({ length: count }, (_, i) => (bytes[HEAD + (i >> 3)]! & (1 << (i & 7))) !== 0);
}
