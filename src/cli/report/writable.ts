/** Whether a report could be written: tried before the work whose end it is. */
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../../core/ablation/errors.ts';
import { beneath } from '../../core/disk/beneath.ts';
import { withinReports } from '../../core/report/records/written.ts';

/** Leaves nothing behind. @param folder of the report. @throws UsageError where the folder of the report cannot be made or written to, or a file in it cannot be replaced */
export function requireWritable(folder: string): void {
  let made: string | undefined;
  beneath(...withinReports(folder, '.')); // a link is no folder of ours
  try {
    made = mkdirSync(folder, { recursive: true });
    rmdirSync(mkdtempSync(join(folder, '.try-')));
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) accessSync(join(folder, name), constants.W_OK);
  } catch (cause) {
    throw new UsageError('REPORTS_NOT_WRITABLE', `--reports: expected a folder in which ${folder} can be written, got: ${(cause as Error).message}. Name another folder, or mend this one.`, { cause });
  } finally {
    if (made !== undefined) removeEmpty(folder, made);
  }
}

/** Folders from the innermost to the outermost, as far as nobody else has used them meanwhile. */
function removeEmpty(folder: string, outermost: string): void {
  try {
    rmdirSync(folder);
    if (folder !== outermost) removeEmpty(dirname(folder), outermost);
  } catch {
    // It is in use.
  }
}
