/** A folder of the form of ImageNet: a class for each WordNet name, and a few small images of many formats, which links multiply. */
import { cpSync, linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const FILES = join(import.meta.dirname, '../fixtures/decode');
/** Baseline, with fewer colours, grey, of a printer, and a PNG by the name of a JPEG: all of them stand in ImageNet. */
const SOUND = ['rgb.jpg', '420.jpg', 'grey.jpg', 'cmyk.jpg', 'png.JPEG'] as const;

interface Form {
  readonly classes?: number;
  /** Images of a class. */
  readonly train: number;
  readonly val: number;
}

export function imagenetForm(root: string, { classes = 1000, train, val }: Form): void {
  mkdirSync(root, { recursive: true });
  const sources = SOUND.map(file => join(root, `.${file}`));
  SOUND.forEach((file, i) => {
    cpSync(join(FILES, file), sources[i]!);
  });
  let files = 0;
  for (let label = 0; label < classes; label++) {
    const name = `n${String(1_440_764 + 13 * label).padStart(8, '0')}`;
    const put = (split: string, count: number, fileName: (i: number) => string): void => {
      const folder = join(root, split, name);
      mkdirSync(folder, { recursive: true });
      for (let i = 0; i < count; i++) linkSync(sources[files++ % sources.length]!, join(folder, fileName(i)));
    };
    put('train', train, i => `${name}_${i}.JPEG`);
    put('val', val, i => `ILSVRC2012_val_${String(1 + label * val + i).padStart(8, '0')}.JPEG`);
  }
}
