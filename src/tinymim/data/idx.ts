/**
 * The idx format of MNIST and its successors, unsigned bytes only: two zero bytes, the element type (0x08), the number of
 * dimensions, each dimension as a big-endian uint32, then the elements in row-major order and nothing after them.
 * Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "File formats".
 */
import { gunzipSync } from 'node:zlib';

export interface IdxArray {
  readonly shape: readonly number[];
  /** As many bytes as `shape` says. */
  readonly data: Uint8Array;
}

/** @internal */
export type IdxErrorCode = 'GZIP' | 'TRUNCATED' | 'MAGIC' | 'ELEMENT_TYPE' | 'TOO_LARGE' | 'TRAILING_DATA';

/** @internal */
export class IdxError extends Error {
  readonly code: IdxErrorCode;
  constructor(code: IdxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'IdxError';
    this.code = code;
  }
}

const UNSIGNED_BYTE = 0x08;

/**
 * Parses an idx file, whether gzipped or plain. `data` is a view of the bytes (unpacked, if they were gzipped).
 * @param source what to call the bytes in error messages
 * @throws IdxError where the bytes break the format in any way
 */
export function parseIdx(bytes: Uint8Array, source: string): IdxArray {
  const plain = isGzip(bytes) ? gunzip(bytes, source) : bytes;
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  if (plain.length < 4) fail('TRUNCATED', source, 'at least 4 bytes', `${plain.length}`);
  if (view.getUint16(0) !== 0) fail('MAGIC', source, 'idx data, which begins with two zero bytes', hex(plain.subarray(0, 4)));
  if (plain[2] !== UNSIGNED_BYTE) fail('ELEMENT_TYPE', source, 'unsigned bytes (element type 08)', hex(plain.subarray(2, 3)));
  const dimensions = plain[3]!;
  const start = 4 + 4 * dimensions;
  if (plain.length < start) fail('TRUNCATED', source, `a header of ${start} bytes for ${dimensions} dimensions`, `${plain.length} bytes`);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const elements = shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(elements)) fail('TOO_LARGE', source, 'a shape whose size a file can have', `[${shape.join()}]`);
  const end = start + elements;
  if (plain.length !== end) {
    const code = plain.length < end ? 'TRUNCATED' : 'TRAILING_DATA';
    fail(code, source, `${end} bytes for shape [${shape.join()}]`, `${plain.length}`);
  }
  return { shape, data: plain.subarray(start) };
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzipped bytes.
 * @param maxBytes more than this is an error, before the memory for it is taken
 */
export function gunzip(bytes: Uint8Array, source: string, maxBytes = 2 ** 30): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    throw new IdxError('GZIP', `Expected ${source} to unpack to at most ${maxBytes} bytes with gzip, got: ${(cause as Error).message}.`, { cause });
  }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(' ');

function fail(code: IdxErrorCode, source: string, expected: string, got: string): never {
  throw new IdxError(code, `Expected ${source} to have ${expected}, got ${got}.`);
}
