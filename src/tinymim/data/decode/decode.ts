/** Bytes of an image file to pixels, by what the bytes say: names often lie. As `Image.open(file).convert('RGB')` of PIL, bit for bit. */
import type { Pixels } from '../resize.ts';
import { DecodeError } from './errors.ts';
import { decodeGif } from './gif.ts';
import { decodeJpeg } from './jpeg.ts';
import { decodePng } from './png.ts';
import { decodeWebp } from './webp.ts';

interface Format {
  readonly name: string;
  /** First bytes, as Latin-1. */
  readonly starts: RegExp;
  /** Absent: PIL can read it, we cannot. */
  readonly decode?: (file: Uint8Array) => Pixels;
}

const FORMATS: readonly Format[] = [
  { name: 'JPEG', starts: /^\xff\xd8\xff/, decode: decodeJpeg },
  { name: 'PNG', starts: /^\x89PNG\r\n/, decode: decodePng },
  { name: 'GIF', starts: /^GIF8[79]a/, decode: decodeGif },
  { name: 'WebP', starts: /^RIFF[^]{4}WEBP/, decode: decodeWebp },
  { name: 'BMP', starts: /^BM/ },
  { name: 'TIFF', starts: /^(?:II\*\0|MM\0\*)/ },
  { name: 'PPM', starts: /^P[1-7]\s/ },
  { name: 'HEIF or AVIF', starts: /^[^]{4}ftyp/ },
];

/** Bytes that tell the format. */
export const HEAD = 12;

/** Why a file that starts so is no image that can be decoded; undefined: it may be one. */
export function notAnImage(head: Uint8Array, bytes: number): string | undefined {
  if (bytes === 0) return 'it is empty';
  const format = formatOf(head);
  if (format === undefined) return 'it is no image';
  return format.decode ? undefined : `it is a ${format.name} file, which is not read here`;
}

const formatOf = (head: Uint8Array): Format | undefined => {
  const text = Buffer.from(head.subarray(0, HEAD)).toString('latin1');
  return FORMATS.find(({ starts }) => starts.test(text));
};

/** @returns `[H, W, 3]`; EXIF orientation is ignored, as torchvision does @throws DecodeError */
export function decodeImage(file: Uint8Array): Pixels {
  const problem = notAnImage(file, file.length);
  if (problem !== undefined) throw new DecodeError(problem);
  return formatOf(file)!.decode!(file);
}
