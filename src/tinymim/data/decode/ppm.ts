/**
 * PBM, PGM and PPM, with numbers as text or as bytes. Source: Netpbm, pbm(5), pgm(5), ppm(5); PIL's choices: PpmImagePlugin.py (values are
 * scaled to the 255 of a byte, but of 65,535 levels of grey the first 255 alone are told apart).
 */
import type { Pixels } from '../resize.ts';
import { DecodeError } from './errors.ts';
import { expectFits } from './size.ts';

/** By the digit behind the P. */
const KINDS = {
  1: { channels: 1, isText: true, isBits: true },
  2: { channels: 1, isText: true, isBits: false },
  3: { channels: 3, isText: true, isBits: false },
  4: { channels: 1, isText: false, isBits: true },
  5: { channels: 1, isText: false, isBits: false },
  6: { channels: 3, isText: false, isBits: false },
} as const;

const SPACE = /[ \t\n\v\f\r]/;

/** @returns `[H, W, 3]` @throws DecodeError */
export function decodePpm(file: Uint8Array): Pixels {
  const { channels, isText, isBits } = KINDS[String.fromCharCode(file[1]!) as unknown as keyof typeof KINDS];
  let at = 3;
  const token = (): number => {
    const read = readToken(file, at);
    at = read.end;
    return read.value;
  };
  const width = token(),
    height = token(),
    most = isBits ? 1 : token();
  expectFits(height, width);
  if (most < 1 || most > 65535) throw new DecodeError('its header cannot be read');
  const count = width * height * channels;
  const level = isBits ? (value: number) => 255 * (1 - value) : scaling(most, channels);
  const rest = file.subarray(at);
  const values = isText ? textValues(rest, count, most, isBits) : isBits ? bitValues(rest, width, height) : byteValues(rest, count, most);
  const image = new Uint8Array(height * width * 3);
  for (let i = 0; i < image.length; i++) image[i] = level(values[channels === 3 ? i : Math.floor(i / 3)]!);
  return { data: image, offset: 0, height, width, channels: 3 };
}

/** A number of the header: comments are left out, and the one white space behind it. */
function readToken(file: Uint8Array, from: number): { value: number; end: number } {
  let text = '',
    at = from;
  for (; at < file.length && text.length <= 10; at++) {
    const c = String.fromCharCode(file[at]!);
    if (c === '#') while (at < file.length && file[at] !== 10 && file[at] !== 13) at++;
    else if (!SPACE.test(c)) text += c;
    else if (text !== '') break;
  }
  if (!/^\d{1,10}$/.test(text)) throw new DecodeError('its header cannot be read');
  return { value: Number(text), end: at + 1 };
}

/** From 0 to `most` to a byte. */
function scaling(most: number, channels: number): (value: number) => number {
  const top = most > 255 && channels === 1 ? 65535 : 255;
  return value => Math.min(halfToEven((value / most) * top), 255);
}

/** As Python rounds. */
function halfToEven(x: number): number {
  const below = Math.floor(x),
    rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

function textValues(bytes: Uint8Array, count: number, most: number, isBits: boolean): ArrayLike<number> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('latin1')
    .replaceAll(/#[^\n\r]*(?:[\n\r]|$)/g, '');
  const tokens = isBits ? text.replaceAll(/[ \t\n\v\f\r]/g, '') : text.split(/[ \t\n\v\f\r]+/).filter(Boolean);
  if (tokens.length < count) throw new DecodeError('it is truncated');
  return Uint16Array.from({ length: count }, (_, i) => {
    const token = tokens[i]!;
    if (!/^\d{1,10}$/.test(token) || Number(token) > most) throw new DecodeError('its data make no sense');
    return Number(token);
  });
}

function bitValues(bytes: Uint8Array, width: number, height: number): ArrayLike<number> {
  const stride = Math.ceil(width / 8);
  if (bytes.length < stride * height) throw new DecodeError('it is truncated');
  const values = new Uint8Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const x = i % width;
    values[i] = (bytes[Math.floor(i / width) * stride + (x >> 3)]! >> (7 - (x & 7))) & 1;
  }
  return values;
}

/** Of two bytes each where `most` takes them, the upper one first. */
function byteValues(bytes: Uint8Array, count: number, most: number): ArrayLike<number> {
  const size = most > 255 ? 2 : 1;
  if (bytes.length < count * size) throw new DecodeError('it is truncated');
  return size === 1 ? bytes : Uint16Array.from({ length: count }, (_, i) => bytes[2 * i]! * 256 + bytes[2 * i + 1]!);
}
