/**
 * The one writer to standard output and standard error. What it writes a terminal only shows: of control sequences none pass but our own
 * colours. Outside text is cleaned where it enters, too; should some get past that, it can at most be coloured. When nobody reads any
 * more, or nothing more can be written, the talking ends and not the work.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';
import { harmless } from '../../core/text/clean.ts';
import { hasColours, PAINT } from './colours.ts';

class Output {
  readonly #name: 'stdout' | 'stderr';
  #readerLeft = false;
  #fault: Error | undefined;
  readonly #onError = (): void => void (this.#readerLeft = true);

  constructor(name: 'stdout' | 'stderr') {
    this.#name = name;
  }

  get stream(): NodeJS.WriteStream & { fd: number } {
    return process[this.#name];
  }

  /** Of a pipe or a terminal: nothing that is written arrives. */
  get readerLeft(): boolean {
    return this.#readerLeft;
  }

  /** Why a file takes no more, a full disk for instance. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  /** Begins anew, as for a command line of its own. */
  open(): void {
    this.#readerLeft = false;
    this.#fault = undefined;
    this.stream.off('error', this.#onError).on('error', this.#onError);
  }

  write(text: string): void {
    this.writeAsItIs(shown(text, hasColours(this.stream)));
  }

  writeAsItIs(text: string): void {
    if (this.#readerLeft || this.#fault !== undefined) return;
    const { stream } = this;
    if (isPipeOrTerminal(stream)) {
      stream.write(text);
      return;
    }
    try {
      writeWhole(stream.fd, text);
    } catch (error) {
      this.#fault = error as Error;
      if (this.#name === 'stdout') stderr.write(`error Expected to be able to write to standard output, got ${this.#fault.message}. What comes is not written; the work goes on.\n`);
    }
  }
}

const isPipeOrTerminal = (stream: object): boolean => stream instanceof Socket;

/** Node's stream of a file drops what does not fit on the disk any more, and tells nobody. */
function writeWhole(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

/** Every second part is a colour. */
const shown = (text: string, colours: boolean): string =>
  text
    .split(PAINT)
    .map((part, i) => (i % 2 === 0 ? harmless(part) : colours ? part : ''))
    .join('');

const stdout = new Output('stdout');
const stderr = new Output('stderr');

/** Before anything is written: without it a reader that leaves would end the process. */
export function openOutput(): void {
  stdout.open();
  stderr.open();
  process.off('exit', forgetTerminals).on('exit', forgetTerminals);
}

const terminals = [0, 1, 2].filter(fd => isatty(fd));

/** Node sets the modes of its terminals at its end, and aborts where one has hung up, whatever the exit code was to be. */
function forgetTerminals(): void {
  for (const fd of terminals.filter(fd => !isatty(fd))) {
    closeSync(fd);
    openSync('/dev/null', 'r+'); // becomes the lowest free descriptor: the one just closed
  }
}

/** What a command is asked for. */
export const print = (text: string): void => stdout.write(text);

/** Data for another program: as they are, but for a terminal, which shows them as `print` does. */
export const printData = (text: string): void => (stdout.stream.isTTY ? stdout.write(text) : stdout.writeAsItIs(text));

/** What is said besides: warnings, errors, how far it is. */
export const note = (text: string): void => stderr.write(text);

/** For `live.ts`, whose text is clean (`frameText`) and whose cursor is ours. */
export const printFrame = (text: string): void => stdout.writeAsItIs(text);

/** Of a frame, for `live.ts`. */
export const frameText = (text: string): string => shown(text, hasColours(stdout.stream));

/** Whether nobody reads standard output any more: a command that only talks can end. */
export const isUnread = (): boolean => stdout.readerLeft;

/** Whether output was lost that somebody waits for: a file does not hold all of it. */
export const isOutputLost = (): boolean => stdout.fault !== undefined || stderr.fault !== undefined;
