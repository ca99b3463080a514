/** A copy of the toy study in a folder of its own, which a test edits between two command lines. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Answer } from './command-server.ts';
import { command as runCommand } from './commands.ts';
import { temporaryFolder } from './sweep.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ABLATE = join(ROOT, 'src/cli/ablate.mjs');

export interface EditableStudy {
  readonly folder: string;
  /** Replaces `from`, which must be there, in a file of `test/toy`. */
  edit(file: string, from: string, to: string): void;
  /** Runs `ablate` on this study, in its folder, with a store and a cache there. One after the other, in a process that stays, also when a sweep is over. */
  ablate(command: string, ...args: string[]): Promise<Answer>;
  /** The same as a process of its own: side by side with others, to be sent signals, or where it counts that the process ends. */
  start(command: string, ...args: string[]): ReturnType<typeof startAblate>;
}

const environment = (folder: string) => ({ TINYMIM_CACHE: join(folder, 'cache'), TINYMIM_DEVICE: 'cpu', ENGINE: 'native' });

const startAblate = (folder: string, args: readonly string[]) => execa(process.execPath, [ABLATE, ...args], { reject: false, all: true, cwd: folder, env: environment(folder) });

export function editableStudy(profile: string): EditableStudy {
  const folder = temporaryFolder('editable');
  for (const part of ['experiments', 'kinds']) cpSync(join(ROOT, 'test/toy', part), join(folder, 'test/toy', part), { recursive: true });
  // What the declarations import by relative path and by name.
  for (const part of ['src', 'node_modules', 'package.json']) symlinkSync(join(ROOT, part), join(folder, part));
  const path = (file: string): string => join(folder, 'test/toy', file);
  const line = (command: string, args: readonly string[]): string[] => [
    command,
    ...(command === 'adopt' ? [] : ['--store', 'store']),
    ...(command === 'query' ? [] : ['--experiments', path('experiments')]),
    ...(command === 'clean' || command === 'query' ? [] : ['--profile', profile]),
    ...args,
  ];
  return {
    folder,
    edit(file, from, to) {
      const text = readFileSync(path(file), 'utf8');
      if (!text.includes(from)) throw new Error(`Expected '${from}' in ${file}`);
      writeFileSync(path(file), text.replace(from, to));
    },
    ablate: (command, ...args) => runCommand(line(command, args), { cwd: folder, env: environment(folder) }),
    start: (command, ...args) => startAblate(folder, line(command, args)),
  };
}
