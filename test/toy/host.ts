/** A host with a name, a clock and a boot of its own, as far as the processes that are started on it can tell. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './sweep.ts';

const SHIM = new URL('clock.mjs', import.meta.url).href;

export class Host {
  /** Variables of its processes. */
  readonly env: Readonly<Record<string, string>>;
  readonly #clock: string;

  /** @param wrong milliseconds by which its clock is ahead @param boot its boot id, if not that of the machine */
  constructor(name: string, wrong = 0, boot = '') {
    this.#clock = join(temporaryFolder('clock'), 'wrong');
    this.setClock(wrong);
    this.env = { NODE_OPTIONS: `--import=${SHIM}`, TEST_HOST: name, TEST_CLOCK: this.#clock, TEST_BOOT: boot };
  }

  setClock(wrong: number): void {
    writeFileSync(`${this.#clock}.new`, String(wrong));
    renameSync(`${this.#clock}.new`, this.#clock); // processes are reading it
  }
}
