/** Text that is written over by the next, at the end of a terminal. */
import { createLogUpdate } from 'log-update';
import { hasCursor } from './colours.ts';
import { frameText, printFrame } from './output.ts';

/** Whether standard output is a terminal whose cursor can be moved. */
export const isLive = (): boolean => hasCursor(process.stdout);

const screen = {
  isTTY: true,
  get columns(): number {
    return process.stdout.columns || 80; // some terminals say 0
  },
  get rows(): number {
    return process.stdout.rows || 24;
  },
  write: printFrame,
};

const update = createLogUpdate(screen as unknown as NodeJS.WritableStream);

export const live = {
  show: (text: string): void => update(frameText(text)),
  clear: (): void => update.clear(),
  /** Shows the cursor again. */
  done: (): void => update.done(),
};
