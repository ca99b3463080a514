/**
 * The safetensors format: 8 bytes header length (little-endian), a JSON header, the tensors' bytes without gaps.
 * Source: huggingface/safetensors, README "Format" and its reference implementation, whose order of tensors we write.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { bytesInMemory, withFile, type ByteSource } from './bytes.ts';
import { ARRAY_OF, BYTES_PER_ELEMENT, DTYPE_ORDER, type StoredTensor, type TensorSource } from './dtype.ts';
import { fail } from './safetensors-error.ts';
import { MAX_HEADER_BYTES, METADATA_KEY, parseHeader } from './safetensors-header.ts';

export { toFloat16, toFloat32, type StoredTensor, type TensorSource } from './dtype.ts';

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
  return withFile(path, readAll);
}

/**
 * Parses the bytes of a safetensors file; see `readSafetensors`.
 * @param source what to call the bytes in error messages
 * @internal
 */
export function parseSafetensors(bytes: Uint8Array, source = 'safetensors data'): SafetensorsContent {
  return readAll(bytesInMemory(bytes, source));
}

function readAll(source: ByteSource): SafetensorsContent {
  const { tensors, metadata } = safetensorsIn(source);
  return { tensors: new Map([...tensors].map(([name, tensor]) => [name, tensor.read()])), metadata };
}

/** The same, each tensor read when it is asked for. @throws SafetensorsError as `readSafetensors` does */
export function safetensorsIn(source: ByteSource): { readonly tensors: ReadonlyMap<string, TensorSource>; readonly metadata: SafetensorsContent['metadata'] } {
  const { entries, metadata, dataStart } = parseHeader(source);
  const tensors = new Map<string, TensorSource>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const read = (): StoredTensor => ({ dtype, shape, data: new ARRAY_OF[dtype](source.read(dataStart + begin, end - begin).buffer) }) as StoredTensor;
    tensors.set(name, { dtype, shape, read });
  }
  return { tensors, metadata };
}

/**
 * Writes a safetensors file. Same content, same bytes. The file appears complete or not at all: it is written under
 * a temporary name in the same folder, flushed to the disk and renamed.
 * @param tensors those that are sources are read one by one, as they are written
 */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, StoredTensor | TensorSource>, metadata: Readonly<Record<string, string>> = {}): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = openSync(temporary, 'w');
    try {
      for (const chunk of layOut(tensors, metadata, path)) writeFully(file, chunk);
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

/** SHA-256, in hexadecimal digits, of the file that `writeSafetensors` writes without metadata. Tensors that are sources are read one by one. */
export function safetensorsHash(tensors: ReadonlyMap<string, StoredTensor | TensorSource>): string {
  const hash = createHash('sha256');
  for (const chunk of layOut(tensors, {}, 'safetensors data')) hash.update(chunk);
  return hash.digest('hex');
}

/** The bytes that `writeSafetensors` writes. @internal */
export function serializeSafetensors(tensors: ReadonlyMap<string, StoredTensor>, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  return Buffer.concat([...layOut(tensors, metadata, 'safetensors data')]);
}

/** The file in chunks: length and header, then each tensor in order of falling alignment and rising name. */
function* layOut(tensors: ReadonlyMap<string, StoredTensor | TensorSource>, metadata: Readonly<Record<string, string>>, source: string): Generator<Uint8Array> {
  const sorted = [...tensors].sort(([nameA, a], [nameB, b]) => DTYPE_ORDER.indexOf(b.dtype) - DTYPE_ORDER.indexOf(a.dtype) || Buffer.compare(Buffer.from(nameA), Buffer.from(nameB)));
  const metadataEntries = Object.entries(metadata).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const header: [string, unknown][] = metadataEntries.length > 0 ? [[METADATA_KEY, Object.fromEntries(metadataEntries)]] : [];
  let end = 0;
  for (const [name, tensor] of sorted) {
    expectWritable(name, tensor, source);
    const begin = end;
    end += elementsOf(tensor) * BYTES_PER_ELEMENT[tensor.dtype];
    header.push([name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [begin, end] }]);
  }
  const json = Buffer.from(`{${header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`);
  const padded = Math.ceil(json.length / 8) * 8; // tensors then begin aligned to 8 bytes
  if (padded > MAX_HEADER_BYTES) fail('HEADER_TOO_LARGE', source, `a header of at most ${MAX_HEADER_BYTES} bytes`, `${padded} bytes`);
  const start = Buffer.alloc(8 + padded, ' ');
  start.writeBigUInt64LE(BigInt(padded));
  json.copy(start, 8);
  yield start;
  for (const [name, tensor] of sorted) yield bytesOf(name, tensor, source);
}

const elementsOf = ({ shape }: Pick<StoredTensor, 'shape'>): number => shape.reduce((product, size) => product * size, 1);

function expectWritable(name: string, tensor: StoredTensor | TensorSource, source: string): void {
  if (name === METADATA_KEY || /\p{Surrogate}/u.test(name)) {
    fail('INVALID_NAME', source, `a well-formed tensor name other than ${METADATA_KEY}`, JSON.stringify(name));
  }
  if (!tensor.shape.every(size => Number.isSafeInteger(size) && size >= 0)) {
    fail('INVALID_SHAPE', source, `tensor "${name}" to have a shape of non-negative integers`, `[${tensor.shape.join()}]`);
  }
  if ('data' in tensor) expectData(name, tensor, source);
}

function expectData(name: string, { dtype, shape, data }: StoredTensor, source: string): void {
  const expected: string = ARRAY_OF[dtype].name;
  if (!(data instanceof ARRAY_OF[dtype])) {
    fail('DTYPE_MISMATCH', source, `tensor "${name}" of dtype ${dtype} to be a ${expected}`, (data as object).constructor.name);
  }
  const elements = elementsOf({ shape });
  if (elements !== data.length) {
    fail('SIZE_MISMATCH', source, `tensor "${name}" of shape [${shape.join()}] to have ${elements} elements`, `${data.length}`);
  }
}

function bytesOf(name: string, tensor: StoredTensor | TensorSource, source: string): Uint8Array {
  const { data } = 'data' in tensor ? tensor : readChecked(name, tensor, source);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function readChecked(name: string, { dtype, shape, read }: TensorSource, source: string): StoredTensor {
  const { data } = read();
  const tensor = { dtype, shape, data } as StoredTensor;
  expectData(name, tensor, source);
  return tensor;
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
