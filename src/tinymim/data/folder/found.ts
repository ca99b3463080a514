/** What an index found, in lines for people. */
import { SPLITS, type FolderIndex } from './index-file.ts';

export const thousands = (n: number): string => n.toLocaleString('en-US');

export function foundLines(name: string, { folder, classes, leftOut, others, contents, fingerprint, ...splits }: FolderIndex): string[] {
  const counts = SPLITS.flatMap(role => {
    const split = splits[role];
    return split ? [`${thousands(split.images.reduce((a, b) => a + b, 0))} images in ${split.folder} (${role})`] : [];
  });
  return [
    `Data: ${name} in ${folder}: ${thousands(classes.length)} classes, ${counts.join(', ')}.`,
    ...(others.count > 0 ? [`No images, and not used: ${thousands(others.count)} other files, such as ${others.some.slice(0, 3).join(', ')}.`] : []),
    ...(leftOut.length > 0 ? [`Left out: ${thousands(leftOut.length)} that cannot be read.`] : []),
    `Fingerprint of classes, names and sizes: ${fingerprint}`,
    ...(contents === null ? [] : [`SHA-256 of all contents: ${contents}`]),
  ];
}
