/** Corrupted and shifted pictures, given what is drawn, are what NumPy, SciPy and Pillow make of them (`corrupt/`, made by the script there). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSafetensors, toFloat32 } from '../../src/engine/formats/safetensors.ts';
import { corrupt } from '../../src/tinymim/data/corrupt/corruptions.ts';
import type { Draws } from '../../src/tinymim/data/corrupt/picture.ts';
import { shift, type ShiftName } from '../../src/tinymim/data/corrupt/shifts.ts';
import { CORRUPTION_NAMES, SEVERITIES, type CorruptionName, type Severity } from '../../src/tinymim/data/corruption-names.ts';
import type { Pixels } from '../../src/tinymim/data/resize.ts';

interface Values {
  readonly corruptions: readonly {
    readonly key: string;
    readonly source: string;
    readonly corruption: CorruptionName;
    readonly severity: Severity;
    readonly uniforms: number;
    readonly normals: number;
  }[];
  readonly shifts: readonly { readonly key: string; readonly shift: ShiftName; readonly uniforms: number }[];
  readonly jpeg_files: readonly { readonly key: string; readonly source: string; readonly severity: Severity }[];
}

const FOLDER = join(import.meta.dirname, 'corrupt');
const { corruptions, shifts, jpeg_files: jpegFiles } = JSON.parse(readFileSync(join(FOLDER, 'values.json'), 'utf8')) as Values;
const { tensors } = readSafetensors(join(FOLDER, 'values.safetensors'));
const UNIFORMS = toFloat32(tensors.get('uniforms')!),
  NORMALS = toFloat32(tensors.get('normals')!);

/** A picture, to be changed. */
function picture(name: string): Pixels {
  const { shape, data } = tensors.get(name)! as { shape: readonly number[]; data: Uint8Array };
  const [height, width, channels] = shape as [number, number, number];
  return { data: Uint8Array.from(data), offset: 0, height, width, channels };
}

/** The numbers that the script had, and how many were taken. */
class Given implements Draws {
  uniforms = 0;
  normals = 0;
  readonly uniform = (): number => UNIFORMS[this.uniforms++]!;
  readonly normal = (): number => NORMALS[this.normals++]!;
}

/** Levels that differ from those of a stored picture. */
function differences({ data }: Pixels, key: string): { most: number; count: number } {
  const found = data.map((level, i) => Math.abs(level - picture(key).data[i]!));
  return { most: found.reduce((a, b) => Math.max(a, b), 0), count: found.filter(difference => difference > 0).length };
}

describe('a corruption', () => {
  it('was made at every severity of a grey picture, and at two of one in colours', () => {
    const made = (source: string) => corruptions.filter(one => one.source === source).map(({ corruption, severity }) => `${corruption} ${severity}`);
    expect(made('grey')).toEqual(CORRUPTION_NAMES.flatMap(name => SEVERITIES.map(severity => `${name} ${severity}`)));
    expect(made('colour')).toEqual(CORRUPTION_NAMES.flatMap(name => [2, 5].map(severity => `${name} ${severity}`)));
  });

  it.each(corruptions)('$key equals that of the libraries', ({ key, source, corruption, severity, uniforms, normals }) => {
    const image = picture(`source/${source}`),
      given = new Given();
    corrupt(image, corruption, severity, given);
    expect(differences(image, key)).toEqual({ most: 0, count: 0 });
    expect({ uniforms: given.uniforms, normals: given.normals }).toEqual({ uniforms, normals });
    expect(differences(image, `source/${source}`).count, 'the picture stayed as it was').toBeGreaterThan(0);
  });

  it.each(jpegFiles)('$key comes near to a file of libjpeg', ({ key, source, severity }) => {
    const image = picture(`source/${source}`);
    corrupt(image, 'jpeg_compression', severity, new Given());
    const stored = picture(`file/${key}`).data;
    const mean = image.data.reduce((sum, level, i) => sum + Math.abs(level - stored[i]!), 0) / stored.length;
    expect(mean).toBeLessThan(1); // its transforms are of whole numbers
  });
});

describe('a shift', () => {
  it.each(shifts)('$key equals that of Pillow', ({ key, shift: name, uniforms }) => {
    const image = picture('source/grey'),
      given = new Given();
    shift(image, name, given);
    expect(differences(image, key)).toEqual({ most: 0, count: 0 });
    expect(given.uniforms).toBe(uniforms);
  });
});
