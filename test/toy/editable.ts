/** A copy of the toy study in a folder of its own, which a test edits between two calls of the real program. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { temporaryFolder } from './sweep.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ABLATE = join(ROOT, 'src/cli/ablate.mjs');

export interface EditableStudy {
  readonly folder: string;
  /** Replaces `from`, which must be there, in a file of `test/toy`. */
  edit(file: string, from: string, to: string): void;
  /** Starts `ablate` on this study, in its folder, with a store and a cache there. */
  ablate(command: string, ...args: string[]): ReturnType<typeof runAblate>;
}

const runAblate = (folder: string, args: readonly string[]) =>
  execa(process.execPath, [ABLATE, ...args], { reject: false, all: true, cwd: folder, env: { TINYMIM_CACHE: join(folder, 'cache'), TINYMIM_DEVICE: 'cpu', ENGINE: 'native' } });

export function editableStudy(profile: string): EditableStudy {
  const folder = temporaryFolder('editable');
  for (const part of ['experiments', 'kinds']) cpSync(join(ROOT, 'test/toy', part), join(folder, 'test/toy', part), { recursive: true });
  // What the declarations import by relative path and by name.
  for (const part of ['src', 'node_modules', 'package.json']) symlinkSync(join(ROOT, part), join(folder, part));
  const path = (file: string): string => join(folder, 'test/toy', file);
  return {
    folder,
    edit(file, from, to) {
      const text = readFileSync(path(file), 'utf8');
      if (!text.includes(from)) throw new Error(`Expected '${from}' in ${file}`);
      writeFileSync(path(file), text.replace(from, to));
    },
    ablate: (command, ...args) => runAblate(folder, [
      command, ...args, '--store', 'store',
      ...(command === 'query' ? [] : ['--experiments', path('experiments')]),
      ...(command === 'clean' || command === 'query' ? [] : ['--profile', profile]),
    ]),
  };
}
