/**
 * Pictures of the first test scenes, as text in the result: image, truth and prediction. Of composed scenes alone: photographs are whoever's they are.
 */
import { imageAt, mapAt } from '../../data/image-set.ts';
import type { SceneSet } from '../../data/scenes/compose.ts';
import { palettePng, pngAddress } from '../../data/scenes/png.ts';
import { IGNORED, type SceneSpec } from '../../data/scenes/spec.ts';
import { CLASS_COLOURS, PICTURED } from './picture-names.ts';

/** Of a scene its middle is shown, of at most so many pixels across. */
const SIDE = 56;
const GREYS = Array.from({ length: 16 }, (_, i) => [17 * i, 17 * i, 17 * i] as const);

/** What a result has for the pictures of a scene; nothing where none is shown. @param predicted of its pixels */
export function scenePictures({ name }: SceneSpec, set: SceneSet, scene: number, predicted: Uint8Array): Record<string, string> {
  const row = PICTURED[scene];
  if (name !== 'composed' || row === undefined || set.classes.length > CLASS_COLOURS.length) return {};
  const middle = (value: (pixel: number) => number): [Uint8Array, number] => middleOf(set, value);
  const { data, offset, channels } = imageAt(set, scene),
    truth = mapAt(set, scene);
  const png = ([pixels, width]: [Uint8Array, number], colours: Parameters<typeof palettePng>[2]): string => pngAddress(palettePng(pixels, width, colours));
  const shown = middle(pixel => truth[pixel]!);
  return {
    [`image_${row}`]: png(
      middle(pixel => data[offset + pixel * channels]! >> 4),
      GREYS,
    ),
    [`truth_${row}`]: png(shown, CLASS_COLOURS),
    [`prediction_${row}`]: png(
      middle(pixel => predicted[pixel]!),
      CLASS_COLOURS,
    ),
    [`about_${row}`]: told(shown[0], set.classes),
  };
}

function middleOf({ height, width }: SceneSet, value: (pixel: number) => number): [pixels: Uint8Array, width: number] {
  const [rows, columns] = [Math.min(height, SIDE), Math.min(width, SIDE)],
    top = (height - rows) >> 1,
    left = (width - columns) >> 1;
  return [Uint8Array.from({ length: rows * columns }, (_, i) => value((top + Math.floor(i / columns)) * width + left + (i % columns))), columns];
}

/** The classes of a map, for who does not see it. */
function told(map: Uint8Array, classes: readonly string[]): string {
  const present = [...new Set(map)].filter(label => label !== IGNORED && label > 0).sort((a, b) => a - b);
  return present.map(label => classes[label]!).join(', ') || 'background alone';
}
