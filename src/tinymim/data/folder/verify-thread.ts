/** Reads and decodes all images of a class, one class after the other. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { sep } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { problemIn, toPath, unreadable } from './scan.ts';

/** Paths as Latin-1. */
export interface ToVerify {
  /** Folder of the class. */
  readonly folder: string;
  /** Below it. */
  readonly files: readonly string[];
}

export interface ReadClass {
  /** SHA-256 of the SHA-256s of all files that can be read, in their order. */
  readonly contents: string;
  /** Files that cannot be read, and why. */
  readonly problems: [file: string, why: string][];
}

const port = parentPort;
if (!port) throw new Error('Expected to run in a thread that verify.ts starts, got the main thread.');

port.on('message', ({ folder, files }: ToVerify) => {
  const contents = createHash('sha256'),
    problems: ReadClass['problems'] = [];
  for (const file of files) {
    let content: Buffer;
    try {
      content = readFileSync(toPath(`${folder}${sep}${file}`));
    } catch (error) {
      problems.push([file, unreadable(error as NodeJS.ErrnoException)]);
      continue;
    }
    const problem = problemIn(content);
    if (problem === undefined) contents.update(createHash('sha256').update(content).digest());
    else problems.push([file, problem]);
  }
  port.postMessage({ contents: contents.digest('hex'), problems } satisfies ReadClass);
});
