import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A tree before its first step. */
export const untrained = (_: object, output: string): Promise<void> => writeFile(join(output, 'tree.json'), JSON.stringify({ height: 0 }));
