/** Programs of Slurm that answer what a test tells them to: real processes, found on a PATH of the test's own. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../toy/sweep.ts';

type Program = 'sbatch' | 'squeue' | 'scancel' | 'sacct' | 'scontrol';

export interface Said {
  readonly out?: string;
  readonly err?: string;
  readonly code?: number;
}

const script = (folder: string, program: Program): string => `#!/bin/sh
echo "${program} $*" >> ${folder}/calls
${program === 'sbatch' ? `/bin/cat > ${folder}/script\n/usr/bin/env > ${folder}/environment\n` : ''}. ${folder}/${program}.answer
`;

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

export class StandIns {
  readonly #folder = temporaryFolder('stand-ins');
  readonly #path = process.env['PATH'];

  /** @param programs those that are there */
  constructor(programs: readonly Program[] = ['sbatch', 'squeue', 'scancel', 'scontrol']) {
    for (const program of programs) {
      this.says(program, {});
      writeFileSync(join(this.#folder, program), script(this.#folder, program), { mode: 0o755 });
    }
    process.env['PATH'] = this.#folder;
  }

  /** From now on. */
  says(program: Program, { out = '', err = '', code = err === '' ? 0 : 1 }: Said): void {
    const lines = [...(err === '' ? [] : [`printf '%s\\n' ${quoted(err)} >&2`]), ...(out === '' ? [] : [`printf '%s\\n' ${quoted(out)}`]), `exit ${code}`];
    const file = join(this.#folder, `${program}.answer`);
    writeFileSync(`${file}.new`, `${lines.join('\n')}\n`);
    renameSync(`${file}.new`, file); // a program may be reading it
  }

  /** Lines of `squeue`, each `id|name|state|node|reason`. */
  queue(...lines: readonly string[]): void {
    this.says('squeue', { out: lines.join('\n') });
  }

  /** What it was called with, one line a call. */
  calls(program: Program): string[] {
    const file = join(this.#folder, 'calls');
    return existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter(line => line.startsWith(`${program} `))
      : [];
  }

  /** What the last job was to run. */
  get script(): string {
    return readFileSync(join(this.#folder, 'script'), 'utf8');
  }

  /** Lines of the variables with which `sbatch` was called. */
  get environment(): string[] {
    return readFileSync(join(this.#folder, 'environment'), 'utf8').split('\n');
  }

  release(): void {
    process.env['PATH'] = this.#path;
  }
}
