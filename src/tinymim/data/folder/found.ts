/** What an index found, in lines for people. */
import { partsOf, type FolderIndex } from './index-file.ts';

export const thousands = (n: number): string => n.toLocaleString('en-US');

export function foundLines(name: string, index: FolderIndex): string[] {
  const { folder, classes, leftOut, others, contents, fingerprint, sets } = index;
  const sum = (images: readonly number[]): number => images.reduce((a, b) => a + b, 0);
  const counts = sets
    ? [`${thousands(sum(Object.values(sets).flatMap(({ images }) => images)))} images in ${Object.keys(sets).length === 1 ? 'a test set' : `${Object.keys(sets).length} test sets`}`]
    : partsOf(index).map(([role, split]) => `${thousands(sum(split.images))} images in ${split.folder} (${role})`);
  return [
    `Data: ${name} in ${folder}: ${thousands(classes.length)} classes, ${counts.join(', ')}.`,
    ...(others.count > 0 ? [`No images, and not used: ${thousands(others.count)} other files, such as ${others.some.slice(0, 3).join(', ')}.`] : []),
    ...(leftOut.length > 0 ? [`Left out: ${thousands(leftOut.length)} that cannot be read.`] : []),
    `Fingerprint of classes, names and sizes: ${fingerprint}`,
    ...(contents === null ? [] : [`SHA-256 of all contents: ${contents}`]),
  ];
}
