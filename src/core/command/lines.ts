/** Lines out of bytes, of which never more than a bound is kept: a program may print a gigabyte without a newline. */

export interface Line {
  /** The beginning of a line that is longer than the bound. */
  readonly text: string;
  /** Bytes of all of it, without the newline. */
  readonly bytes: number;
}

const NEWLINE = 0x0a;

export class LineSplitter {
  readonly #most: number;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #bytes = 0;

  /** @param most bytes of a line that are kept */
  constructor(most: number) {
    this.#most = most;
  }

  /** The lines that end within these bytes. */
  *push(chunk: Buffer): Generator<Line> {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end));
      yield this.#take();
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  /** Bytes of the line that has not ended yet. */
  get open(): number {
    return this.#bytes;
  }

  /** What came behind the last newline; undefined where there is nothing. */
  rest(): Line | undefined {
    return this.#bytes === 0 ? undefined : this.#take();
  }

  #keep(bytes: Buffer): void {
    this.#bytes += bytes.length;
    const part = bytes.subarray(0, this.#most - this.#keptBytes);
    if (part.length === 0) return;
    this.#kept.push(Buffer.from(part)); // the chunk itself may be used again
    this.#keptBytes += part.length;
  }

  #take(): Line {
    const line = { text: Buffer.concat(this.#kept).toString('utf8'), bytes: this.#bytes };
    this.#kept = [];
    this.#keptBytes = this.#bytes = 0;
    return line;
  }
}
