/** The real program on the toy study. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { temporaryFolder } from './sweep.ts';

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));

/** Variables of every call: a cache that nobody else writes to, and no look for GPUs or for what could provide an engine. */
const env = { TINYMIM_CACHE: temporaryFolder('cache'), TINYMIM_DEVICE: 'cpu', ENGINE: 'native' };

/** @param declarations folder beside this file; undefined for commands that take none */
export const ablate = (declarations: string | undefined, command: string, ...args: readonly string[]) => ablateWith({}, declarations, command, ...args);

/** @param more variables beside those of this process */
export const ablateWith = (more: Readonly<Record<string, string>>, declarations: string | undefined, command: string, ...args: readonly string[]) => {
  const study = declarations === undefined ? [] : ['--experiments', fileURLToPath(new URL(declarations, import.meta.url))];
  return execa(process.execPath, [ABLATE, command, ...args, ...study], { reject: false, all: true, env: { ...env, ...more } });
};
