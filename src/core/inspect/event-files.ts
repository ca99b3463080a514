/**
 * Curves as TensorBoard reads them: files of records, each a protocol buffer `Event`. A record is framed as TFRecord: its length (64 bits), a
 * checksum of that, the bytes, a checksum of those. Sources: tensorflow/core/lib/io/record_writer.h (framing, masked CRC-32C),
 * tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto (numbers of the fields).
 */
import type { MetricRecord, StageResult } from '../ablation/kind.ts';

/** Seconds since 1970 with which all events of a file are marked: curves record steps, not times. */
export interface EventFileOptions {
  readonly time: number;
  /** Put before the names of curves: the role of the stage. */
  readonly prefix: string;
}

/** The bytes of one run's file: its curve, and the numbers of its result at the last step, `result/<name>`. */
export function eventFile(curve: readonly MetricRecord[], result: StageResult, { time, prefix }: EventFileOptions): Buffer {
  const records = [event(time, 0, stringField(3, 'brain.Event:2'))];
  for (const { step, epoch, ...numbers } of curve) records.push(scalars(time, step, { epoch, ...numbers }, prefix));
  const numbers = Object.entries(result).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  if (numbers.length > 0) records.push(scalars(time, curve.at(-1)?.step ?? 0, Object.fromEntries(numbers.map(([name, value]) => [`result/${name}`, value])), prefix));
  return Buffer.concat(records.flatMap(framed));
}

/** `Summary { repeated Value value = 1 }`, `Value { string tag = 1; float simple_value = 2 }`. */
function scalars(time: number, step: number, numbers: Readonly<Record<string, number>>, prefix: string): Buffer {
  const values = Object.entries(numbers).map(([name, value]) => bytesField(1, Buffer.concat([stringField(1, `${prefix}/${name}`), floatField(2, value)])));
  return event(time, step, bytesField(5, Buffer.concat(values)));
}

/** `Event { double wall_time = 1; int64 step = 2; oneof what { string file_version = 3; Summary summary = 5 } }`. */
const event = (time: number, step: number, what: Buffer): Buffer => Buffer.concat([doubleField(1, time), ...(step === 0 ? [] : [tag(2, 0), varint(step)]), what]);

function framed(data: Buffer): Buffer[] {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return [length, masked(length), data, masked(data)];
}

/** Rotated and shifted, so that a checksum of something that holds checksums is no trap. */
function masked(bytes: Buffer): Buffer {
  const crc = crc32c(bytes);
  const out = Buffer.alloc(4);
  out.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return out;
}

/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** @internal */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

// Fields of a protocol buffer: number and type of wire, then the value.
const tag = (field: number, wire: 0 | 1 | 2 | 5): Buffer => varint(field * 8 + wire);

const stringField = (field: number, text: string): Buffer => bytesField(field, Buffer.from(text));

const bytesField = (field: number, bytes: Buffer): Buffer => Buffer.concat([tag(field, 2), varint(bytes.length), bytes]);

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(field, 1), bytes]);
}

function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([tag(field, 5), bytes]);
}

/** @param value a whole number from 0 to 2^53 */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = BigInt(value);
  do {
    const more = left >> 7n;
    bytes.push(Number(left & 0x7fn) | (more > 0n ? 0x80 : 0));
    left = more;
  } while (left > 0n);
  return Buffer.from(bytes);
}
