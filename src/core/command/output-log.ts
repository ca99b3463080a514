/** What a program prints, as lines of the log of its attempt: the beginning and the end of it, however much it is. */
import type { Readable } from 'node:stream';
import { harmless, shorten } from '../text/clean.ts';
import { LineSplitter, type Line } from './lines.ts';

/** Characters of a line. */
const LONGEST = 2000;
/** Characters that are logged as they come, and of the last lines after them. */
const FIRST = 512 * 1024;
const LAST = 64 * 1024;
/** Lines in which a program that failed says why. */
const LAST_WORDS = 20;

export class OutputLog {
  readonly #log: (line: string) => void;
  #logged = 0;
  /** Those that have come after the first, and are logged at the end. */
  #last: string[] = [];
  #lastSize = 0;
  #dropped = 0;
  readonly #lastWords: string[] = [];

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Resolves when the stream has ended, or was destroyed. @param speaks whether its last line is what a program that failed has said */
  async follow(stream: Readable, speaks: boolean): Promise<void> {
    const lines = new LineSplitter(4 * LONGEST);
    await new Promise<void>(resolve => {
      stream.on('data', (chunk: Buffer) => {
        for (const line of lines.push(chunk)) this.#take(line, speaks);
      });
      stream.on('error', () => undefined); // closed on the other side
      stream.on('close', resolve);
    });
    const rest = lines.rest();
    if (rest) this.#take(rest, speaks);
  }

  /** The last lines of what speaks that are not empty, the newest last. */
  get lastWords(): readonly string[] {
    return this.#lastWords;
  }

  close(): void {
    if (this.#dropped > 0) this.#log(`(${this.#dropped} lines of the program are left out here)`);
    for (const line of this.#last) this.#log(line);
    this.#last = [];
  }

  #take({ text, bytes }: Line, speaks: boolean): void {
    // A bar of progress writes over itself: what stood there last counts.
    const seen = harmless(text.replace(/^[^]*\r(?=[^\r])/, '').trimEnd());
    const whole = Buffer.byteLength(text) < bytes ? `${shorten(seen, LONGEST)} (a line of ${bytes} bytes)` : shorten(seen, LONGEST);
    if (speaks && whole.trim() !== '') this.#lastWords.push(whole.trim());
    if (this.#lastWords.length > LAST_WORDS) this.#lastWords.shift();
    if (this.#logged < FIRST) {
      this.#logged += whole.length;
      this.#log(whole);
      return;
    }
    this.#last.push(whole);
    this.#lastSize += whole.length + 1;
    while (this.#lastSize > LAST) {
      this.#lastSize -= this.#last.shift()!.length + 1;
      this.#dropped++;
    }
  }
}
