/**
 * The safetensors format: 8 bytes header length (little-endian), a JSON header, the tensors' bytes without gaps.
 * Source: huggingface/safetensors, README "Format" and its reference implementation, whose order of tensors we write.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ARRAY_OF, DTYPE_ORDER, type StoredTensor } from './dtype.ts';
import { fail } from './safetensors-error.ts';
import { MAX_HEADER_BYTES, METADATA_KEY, parseHeader } from './safetensors-header.ts';

export { toFloat32, type StoredTensor } from './dtype.ts';

export interface SafetensorsContent {
  /** By name, in the order of the file's bytes. A Map, so that no name can collide with an object's own properties. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a safetensors file; the arrays are copies of their own.
 * @throws SafetensorsError with a stable `code` and the path, where the file breaks the format in any way
 */
export function readSafetensors(path: string): SafetensorsContent {
  return parseSafetensors(readFileSync(path), path);
}

/**
 * Parses the bytes of a safetensors file; see `readSafetensors`.
 * @param source what to call the bytes in error messages
 * @internal
 */
export function parseSafetensors(bytes: Uint8Array, source = 'safetensors data'): SafetensorsContent {
  const { entries, metadata, dataStart } = parseHeader(bytes, source);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const own = new Uint8Array(end - begin); // a copy: the file's bytes need not be aligned for typed arrays
    own.set(bytes.subarray(dataStart + begin, dataStart + end));
    const data = new ARRAY_OF[dtype](own.buffer);
    tensors.set(name, { dtype, shape, data } as StoredTensor);
  }
  return { tensors, metadata };
}

/**
 * Writes a safetensors file. Same content, same bytes. The file appears complete or not at all: it is written under
 * a temporary name in the same folder, flushed to the disk and renamed.
 */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, StoredTensor>, metadata: Readonly<Record<string, string>> = {}): void {
  const chunks = layOut(tensors, metadata, path);
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = openSync(temporary, 'w');
    try {
      for (const chunk of chunks) writeFully(file, chunk);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  flushFolder(dirname(path));
}

/** The bytes that `writeSafetensors` writes. @internal */
export function serializeSafetensors(tensors: ReadonlyMap<string, StoredTensor>, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  return Buffer.concat(layOut(tensors, metadata, 'safetensors data'));
}

/** The file as a list of chunks: length and header, then each tensor in order of falling alignment and rising name. */
function layOut(tensors: ReadonlyMap<string, StoredTensor>, metadata: Readonly<Record<string, string>>, source: string): Uint8Array[] {
  const sorted = [...tensors].sort(([nameA, a], [nameB, b]) => DTYPE_ORDER.indexOf(b.dtype) - DTYPE_ORDER.indexOf(a.dtype) || Buffer.compare(Buffer.from(nameA), Buffer.from(nameB)));
  const metadataEntries = Object.entries(metadata).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const header: [string, unknown][] = metadataEntries.length > 0 ? [[METADATA_KEY, Object.fromEntries(metadataEntries)]] : [];
  let end = 0;
  for (const [name, tensor] of sorted) {
    expectWritable(name, tensor, source);
    const begin = end;
    end += tensor.data.byteLength;
    header.push([name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [begin, end] }]);
  }
  const json = Buffer.from(`{${header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`);
  const padded = Math.ceil(json.length / 8) * 8; // tensors then begin aligned to 8 bytes
  if (padded > MAX_HEADER_BYTES) fail('HEADER_TOO_LARGE', source, `a header of at most ${MAX_HEADER_BYTES} bytes`, `${padded} bytes`);
  const start = Buffer.alloc(8 + padded, ' ');
  start.writeBigUInt64LE(BigInt(padded));
  json.copy(start, 8);
  return [start, ...sorted.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

function expectWritable(name: string, { dtype, shape, data }: StoredTensor, source: string): void {
  if (name === METADATA_KEY || /\p{Surrogate}/u.test(name)) {
    fail('INVALID_NAME', source, `a well-formed tensor name other than ${METADATA_KEY}`, JSON.stringify(name));
  }
  const expected: string = ARRAY_OF[dtype].name;
  if (!(data instanceof ARRAY_OF[dtype])) {
    fail('DTYPE_MISMATCH', source, `tensor "${name}" of dtype ${dtype} to be a ${expected}`, (data as object).constructor.name);
  }
  if (!shape.every(size => Number.isSafeInteger(size) && size >= 0)) {
    fail('INVALID_SHAPE', source, `tensor "${name}" to have a shape of non-negative integers`, `[${shape.join()}]`);
  }
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements !== data.length) {
    fail('SIZE_MISMATCH', source, `tensor "${name}" of shape [${shape.join()}] to have ${elements} elements`, `${data.length}`);
  }
}

function writeFully(file: number, chunk: Uint8Array): void {
  for (let written = 0; written < chunk.byteLength;) written += writeSync(file, chunk, written);
}

/** Makes a rename survive a power failure. */
function flushFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
