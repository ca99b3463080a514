/** Completion in the shells themselves, with the real program behind it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';

const SHELL_FILES = resolve(import.meta.dirname, '../../src/cli/completion');
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ablate-shells-'));
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'a study'));
  writeFileSync(join(folder, 'a file'), '');
  symlinkSync(resolve(import.meta.dirname, '../../src/cli/ablate.mjs'), join(folder, 'bin/ablate'));
  env = { ...process.env, HOME: folder, PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']!}`, TINYMIM_CACHE: join(folder, 'cache') };
  execFileSync(join(folder, 'bin/ablate'), ['plan', '--only', 'relation'], { cwd: folder, env }); // leaves the names of its arms for completion
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function needs(shell: string, { skip }: TestContext): void {
  if (spawnSync(shell, ['--version']).error) skip(`${shell} is not installed here`);
}

const run = (shell: string, args: readonly string[], script: string): string => execFileSync(shell, [...args, script], { cwd: folder, env, encoding: 'utf8', timeout: 120_000 });

describe('bash', () => {
  /** The words that bash would offer, given those of the line as it splits them. */
  const offered = (...line: string[]): string[] =>
    run('bash', ['-c'], `source ${SHELL_FILES}/ablate.bash; COMP_WORDS=(ablate ${line.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${line.length}; _ablate; printf '%s\\n' "\${COMPREPLY[@]}"`)
      .split('\n')
      .slice(0, -1);

  it('has its function registered by what the command prints', () => {
    expect(run('bash', ['-c'], 'source <(ablate completion bash); complete -p ablate')).toBe('complete -F _ablate ablate\n');
  });

  it('offers commands, options, arms and folders', () => {
    expect(offered('swe')).toEqual(['sweep']);
    expect(offered('sweep', '--only', '=', 'relation/qk')).toEqual(['relation/qk-vv', 'relation/qk-vv-softmax']);
    expect(offered('sweep', '--store', 'a')).toEqual(['a study']);
    expect(offered('report', '--comment', 'a').sort()).toEqual(['a file', 'a study']);
    expect(offered('sweep', '--seeds', '')).toEqual(['']);
  });
});

describe('zsh', () => {
  it('completes what is typed', context => {
    needs('zsh', context);
    expect(run('zsh', ['-fc'], `zsh -n ${SHELL_FILES}/ablate.zsh && echo fine`)).toBe('fine\n');
    // A second zsh behind a terminal, as a person has it; Ctrl-G keeps the line as it stands after Tab and empties it.
    const lines = ['ablate swe', 'ablate sweep --prof', 'ablate sweep --profile smo', 'ablate plan --only=single', 'ablate explain relation/ma', 'ablate sweep --store a'];
    run(
      'zsh',
      ['-fc'],
      `
      zmodload zsh/zpty
      zpty shell zsh -fi
      zpty -w shell 'autoload -U compinit; compinit -u -D; source <(ablate completion zsh); bindkey "^I" complete-word'
      zpty -w shell 'keep() { print -r -- "$BUFFER" >> kept; BUFFER=""; }; zle -N keep; bindkey "^G" keep; print read""y'
      zpty -r -m shell seen '*ready*'
      for line in ${lines.map(line => `'${line}'`).join(' ')}; do zpty -w -n shell "$line"$'\\t\\a'; done
      zpty -w shell 'print all""done'
      zpty -r -m shell seen '*alldone*'`,
    );
    expect(readFileSync(join(folder, 'kept'), 'utf8').split('\n').slice(0, -1)).toEqual([
      'ablate sweep ',
      'ablate sweep --profile ',
      'ablate sweep --profile smoke ',
      'ablate plan --only=single-relation',
      'ablate explain relation/mae ',
      'ablate sweep --store a\\ study/',
    ]);
  });
});

describe('fish', () => {
  it('offers words with what they mean', context => {
    needs('fish', context);
    const offered = (line: string): string[] => run('fish', ['--no-config', '-c'], `source ${SHELL_FILES}/ablate.fish; complete -C '${line}'`).split('\n').slice(0, -1);
    expect(run('fish', ['--no-config', '-c'], `fish -n ${SHELL_FILES}/ablate.fish; and echo fine`)).toBe('fine\n');
    expect(offered('ablate explain relation/m')).toEqual(['relation/mae\tMAE baseline']);
    expect(offered('ablate sweep --only=single')).toEqual(['--only=single-relation']);
    expect(offered('ablate sweep --store a')[0]).toMatch(/^a study\//);
    expect(run('fish', ['--no-config', '-c'], 'ablate completion fish | source; complete -C "ablate swe"')).toMatch(/^sweep\t/);
  });
});
