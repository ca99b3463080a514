/** Bytes of an image file to pixels, by what the bytes say: names often lie. As `Image.open(file).convert('RGB')` of PIL, bit for bit. */
import type { Pixels } from '../resize.ts';
import { decodeBmp } from './bmp.ts';
import { DecodeError } from './errors.ts';
import { decodeGif } from './gif.ts';
import { decodeJpeg, jpegSize } from './jpeg.ts';
import { decodePng } from './png.ts';
import { decodePpm } from './ppm.ts';
import { misfit } from './size.ts';
import { decodeTiff } from './tiff.ts';
import { decodeWebp } from './webp.ts';

interface Format {
  readonly name: string;
  /** First bytes, as Latin-1. */
  readonly starts: RegExp;
  /** Absent: PIL can read it, we cannot. */
  readonly decode?: (file: Uint8Array) => Pixels;
  /** Whether head and tail say that nothing of it is missing. Absent: they never do. */
  readonly isWhole?: (head: Buffer, tail: string, bytes: number) => boolean;
  /** Width and height, as far as the first bytes tell. */
  readonly size?: (head: Buffer) => readonly [width: number, height: number] | undefined;
}

const FORMATS: readonly Format[] = [
  { name: 'a JPEG', starts: /^\xff\xd8\xff/, decode: decodeJpeg, isWhole: (_, tail) => tail.endsWith('\xff\xd9'), size: jpegSize },
  {
    name: 'a PNG',
    starts: /^\x89PNG\r\n/,
    decode: decodePng,
    isWhole: (_, tail) => tail.endsWith('IEND\xaeB`\x82'),
    size: head => (head.length < 24 ? undefined : [head.readUInt32BE(16), head.readUInt32BE(20)]),
  },
  { name: 'a GIF', starts: /^GIF8[79]a/, decode: decodeGif, isWhole: (_, tail) => tail.endsWith('\0;') },
  { name: 'a WebP', starts: /^RIFF[^]{4}WEBP/, decode: decodeWebp, isWhole: (head, _, bytes) => 8 + head.readUInt32LE(4) <= bytes },
  { name: 'a BMP', starts: /^BM/, decode: decodeBmp },
  { name: 'a TIFF', starts: /^(?:II\*\0|MM\0\*)/, decode: decodeTiff },
  { name: 'a PPM', starts: /^P[1-6][ \t\n\v\f\r]/, decode: decodePpm },
  { name: 'a BigTIFF', starts: /^(?:II\+\0|MM\0\+)/ },
  { name: 'a PFM', starts: /^Pf\s/ },
  { name: 'an AVIF or HEIF', starts: /^[^]{4}ftyp/ },
];

/** Bytes at the start that tell the format, and its size but for JPEG; and as many at the end. */
export const HEAD = 32;

/** Why a file that starts so is no image that can be decoded; undefined: it may be one. */
export function notAnImage(head: Uint8Array, bytes: number): string | undefined {
  if (bytes === 0) return 'it is empty';
  const format = formatOf(head);
  if (format === undefined) return 'it is no image';
  return format.decode ? undefined : `it is ${format.name} file, which is not read here (convert it to PNG)`;
}

/** Why an image that starts so has too many pixels, or none; undefined: it has not, or its first bytes do not tell. */
export function sizeProblem(head: Uint8Array): string | undefined {
  const [width, height] = formatOf(head)?.size?.(bytesOf(head)) ?? [1, 1];
  return misfit(height, width);
}

/** Whether the ends of a file tell that nothing of it is missing. Of a file of which they do not it may be so all the same. */
export const isWhole = (head: Uint8Array, tail: Uint8Array, bytes: number): boolean => formatOf(head)?.isWhole?.(bytesOf(head), bytesOf(tail).toString('latin1'), bytes) === true;

const bytesOf = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length);

const formatOf = (head: Uint8Array): Format | undefined => {
  const text = bytesOf(head.subarray(0, HEAD)).toString('latin1');
  return FORMATS.find(({ starts }) => starts.test(text));
};

/** @returns `[H, W, 3]`; EXIF orientation is ignored, as torchvision does @throws DecodeError */
export function decodeImage(file: Uint8Array): Pixels {
  const problem = notAnImage(file, file.length);
  if (problem !== undefined) throw new DecodeError(problem);
  return formatOf(file)!.decode!(file);
}
