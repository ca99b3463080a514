/**
 * The few messages of protobuf that a GraphDef and the options of a context need, and the fields of one that is read. Field numbers
 * are those of TensorFlow's `core/framework/{graph,node_def,attr_value,tensor,tensor_shape,versions}.proto` and `core/protobuf/config.proto`.
 */
import { DTYPE, type Attribute, type Attributes, type TensorType } from './trace.ts';

/** A node of a GraphDef. An input is `node`, `node:output` or, for control, `^node`. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Attributes;
  readonly device?: string;
}

const VARINT = 0,
  FIXED64 = 1,
  BYTES = 2,
  FIXED32 = 5;

class Message {
  readonly #chunks: Uint8Array[] = [];

  varint(field: number, value: number): this {
    return this.#key(field, VARINT, value < 0 ? negative(value) : varint(value));
  }

  bytes(field: number, value: Uint8Array | string): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    return this.#key(field, BYTES, varint(bytes.length), bytes);
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.finish());
  }

  float(field: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return this.#key(field, FIXED32, bytes);
  }

  double(field: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return this.#key(field, FIXED64, bytes);
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  #key(field: number, wire: number, ...content: readonly Uint8Array[]): this {
    this.#chunks.push(varint(field * 8 + wire), ...content);
    return this;
  }
}

/** Seven bits a byte, lowest first. Exact up to 2^53. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}

/** Two's complement of 64 bits: always ten bytes. */
function negative(value: number): Uint8Array {
  const bits = BigInt.asUintN(64, BigInt(value));
  return Uint8Array.from({ length: 10 }, (_, i) => Number((bits >> BigInt(7 * i)) & 127n) + (i < 9 ? 128 : 0));
}

function shapeMessage(shape: readonly number[]): Message {
  return shape.reduce((message, size) => message.message(2, new Message().varint(1, size)), new Message());
}

/** A float32 constant of one value throughout is written as that value: zeros and ones of gradients would fill megabytes. */
function tensorMessage({ dtype, shape, bytes }: TensorType & { readonly bytes: Uint8Array }): Message {
  const message = new Message().varint(1, dtype).message(2, shapeMessage(shape));
  const uniform = dtype === DTYPE.float32 && bytes.length > 4 && bytes.every((byte, i) => byte === bytes[i % 4]);
  return uniform ? message.bytes(5, bytes.subarray(0, 4)) : message.bytes(4, bytes);
}

/** Writes one value into a message: the fields of an AttrValue, and of its ListValue, have the same numbers. */
function writeAttribute(message: Message, attribute: Attribute): Message {
  switch (attribute.kind) {
    case 'string':
      return message.bytes(2, attribute.value);
    case 'int':
      return message.varint(3, attribute.value);
    case 'float':
      return message.float(4, attribute.value);
    case 'bool':
      return message.varint(5, attribute.value ? 1 : 0);
    case 'type':
      return message.varint(6, attribute.value);
    case 'shape':
      return message.message(7, shapeMessage(attribute.value));
    case 'tensor':
      return message.message(8, tensorMessage(attribute.value));
    case 'list':
      return message.message(1, attribute.value.reduce(writeAttribute, new Message()));
  }
}

function nodeMessage({ name, op, inputs, attributes, device }: GraphNode): Message {
  const message = new Message().bytes(1, name).bytes(2, op);
  for (const input of inputs) message.bytes(3, input);
  if (device !== undefined) message.bytes(4, device);
  for (const [key, value] of Object.entries(attributes)) {
    message.message(5, new Message().bytes(1, key).message(2, writeAttribute(new Message(), value)));
  }
  return message;
}

/** Version of GraphDef whose ops and defaults are meant, and the oldest reader that understands it (`core/public/version.h`). */
const PRODUCER = 1882,
  MIN_CONSUMER = 12;

/** The bytes of a GraphDef. */
export function graphDef(nodes: readonly GraphNode[]): Uint8Array {
  return nodes
    .reduce((message, node) => message.message(1, nodeMessage(node)), new Message())
    .message(4, new Message().varint(1, PRODUCER).varint(2, MIN_CONSUMER))
    .finish();
}

/** What a context of TensorFlow can be told, once, when it is made. */
export interface ContextOptions {
  /** How many devices of a type it makes, e.g. 2 of `CPU`: several logical ones stand for one real CPU. */
  readonly devices?: Readonly<Record<string, number>>;
  /** The part of a GPU's memory that it may take, above 0 and at most 1; it begins with little and grows up to that. */
  readonly gpuMemoryFraction?: number;
}

/** The bytes of a ConfigProto. One behind the other they are one of both. */
export function contextConfig({ devices = {}, gpuMemoryFraction }: ContextOptions): Uint8Array {
  const config = new Message();
  for (const [type, count] of Object.entries(devices)) config.message(1, new Message().bytes(1, type).varint(2, count));
  if (gpuMemoryFraction !== undefined) config.message(6, new Message().double(1, gpuMemoryFraction).varint(4, 1));
  return config.finish();
}

/** A field of a message with its content; that of a number is its value. */
interface Field {
  readonly field: number;
  readonly bytes: Uint8Array;
  readonly value: number;
}

/** Fields of a message that has only whole numbers, texts, packed numbers and messages. */
export function messageFields(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < message.length;) {
    const key = readVarint(message, at);
    const value = readVarint(message, key.next);
    const length = key.value % 8 === BYTES ? value.value : 0;
    fields.push({ field: Math.floor(key.value / 8), bytes: message.subarray(value.next, value.next + length), value: value.value });
    at = value.next + length;
  }
  return fields;
}

function readVarint(message: Uint8Array, start: number): { value: number; next: number } {
  let value = 0,
    at = start;
  for (let scale = 1; ; scale *= 128) {
    const byte = message[at++]!;
    value += (byte % 128) * scale;
    if (byte < 128) return { value, next: at };
  }
}
