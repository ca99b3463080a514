/** What is offered at the end of a command line, for the program as it is. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { commandWords, type CommandWords, type Placeholder } from '../../../../src/cli/completion/commands.ts';
import { valuesOf, type Values } from '../../../../src/cli/completion/values.ts';
import { completions } from '../../../../src/cli/completion/words.ts';
import { choose } from '../../../../src/cli/options/selection.ts';
import { createProgram } from '../../../../src/cli/program.ts';

const OWN = fileURLToPath(new URL('../../../../experiments', import.meta.url));
const program = await createProgram();
const known = commandWords(program);
const complete = (...words: string[]): Values => completions(known, words);
const words = (...line: string[]): string[] => complete(...line).values.map(({ word }) => word);

// What a command leaves for completion stands in a cache of its own here.
let cache: string;
beforeAll(async () => {
  cache = mkdtempSync(join(tmpdir(), 'completion-cache-'));
  vi.stubEnv('TINYMIM_CACHE', cache);
  for (const profile of ['mini', 'imagenet1k']) await choose({ store: 'none', experiments: OWN, profile });
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

describe('commands and options', () => {
  it('offers every command of the help and no hidden one', () => {
    const shown = [...program.helpInformation().matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name]) => name!);
    expect(shown).toContain('sweep');
    expect(words('')).toEqual(shown);
    expect(words('s')).toEqual(['sweep', 'status', 'setup']);
    expect(words('complete')).toEqual([]);
    expect(words('help', 'stat')).toEqual(['status']);
  });

  it('offers every option of the help of a command, with what it says', () => {
    const sweep = program.commands.find(command => command.name() === 'sweep')!;
    const shown = [...sweep.helpInformation().matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag!);
    expect(shown).toContain('--no-report');
    expect(words('sweep', '--').sort()).toEqual(shown.sort()); // the help has them in groups
    expect(complete('sweep', '--dry')).toEqual({ kind: 'words', values: [{ word: '--dry-run', help: 'print the plan and do nothing' }] });
  });

  it('offers nothing for a word that may be anything, nor behind an option that there is not', () => {
    for (const line of [
      ['sweep', '--seeds', ''],
      ['query', 'sel'],
      ['sweep', '--nothing=x'],
      ['plan', 'x'],
      ['nothing', 'x'],
    ]) {
      expect(complete(...line), line.join(' ')).toEqual({ kind: 'words', values: [] });
    }
  });

  it('takes choices from the definition of an argument', () => {
    expect(words('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(words('completion', 'z')).toEqual(['zsh']);
  });
});

describe('values', () => {
  it('knows all placeholders but those that may be anything', () => {
    const placesOf = ({ options, operands, commands }: CommandWords): Placeholder[] => [...options.flatMap(({ value }) => value ?? []), ...operands, ...commands.flatMap(placesOf)];
    const unknown = new Set<string>();
    for (const place of placesOf(known)) {
      const { kind, values } = valuesOf(place, '', new Map());
      if (kind === 'words' && values.length === 0) unknown.add(place.placeholder);
    }
    expect([...unknown].sort()).toEqual(['address', 'card', 'command', 'features', 'limit', 'line', 'list', 'n', 'name', 'name=folder', 'role', 'seconds', 'size', 'sql', 'text', 'threads', 'word']);
  });

  it('lists ablations and arms joined by commas, and leaves the word open', () => {
    expect(complete('sweep', '--only', 'rel')).toEqual({ kind: 'open', values: [{ word: 'relation', help: '' }] });
    expect(words('sweep', '--only', 'relation,mask')).toEqual(['relation,mask-ratio', 'relation,masking']);
    expect(words('sweep', '--only', 'layer,relation/qk')).toEqual(['layer,relation/qk-vv', 'layer,relation/qk-vv-softmax']);
    expect(words('sweep', '--only', 'nothing/')).toEqual([]);
  });

  it('takes an option with its value in one word, and as bash splits it', () => {
    expect(words('sweep', '--only=rel')).toEqual(['--only=relation']);
    expect(words('sweep', '--only', '=', 'rel')).toEqual(['relation']);
    expect(words('sweep', '--profile', '=')).toEqual(['desk', 'imagenet1k', 'mini', 'photos', 'smoke', 'witness']);
    expect(words('sweep', '--profile', '=', 'mini', '--dry')).toEqual(['--dry-run']);
  });

  it('gives an arm in two steps: its ablation, then itself with its label', () => {
    expect(complete('explain', 'rel')).toEqual({ kind: 'open', values: [{ word: 'relation/', help: '' }] });
    expect(complete('explain', 'relation/m')).toEqual({ kind: 'words', values: [{ word: 'relation/mae', help: 'MAE baseline' }] });
    expect(words('diff', 'relation/mae', 'relation/qq-kk-vv-')).toEqual(['relation/qq-kk-vv-softmax']);
    expect(words('diff', 'relation/mae', 'relation/qk-vv', 'rel')).toEqual([]);
    expect(words('logs', '--role', 'distill', 'relation/m')).toEqual(['relation/mae']);
    expect(words('export', 'relation/m')).toEqual(['relation/mae']);
  });

  it('offers the programs that the kinds of the study can be exported to', () => {
    expect(words('export', 'relation/mae', '--to', '')).toEqual(['timm', 'mae', 'teacher', 'parquet', 'tensorboard']);
    expect(words('export', '--to=te')).toEqual(['--to=teacher', '--to=tensorboard']);
  });

  it('lists fields of the chosen profile that hold one value', () => {
    expect(complete('sweep', '--set', 'distill.schedule.e')).toEqual({ kind: 'open', values: [{ word: 'distill.schedule.epochs=', help: '' }] });
    expect(words('sweep', '--set', 'na')).toEqual([]);
    expect(words('sweep', '--profile', 'imagenet1k', '--set', 'throughput.d')).toEqual(['throughput.device=']);
    expect(words('sweep', '--set', 'throughput.d')).toEqual([]);
  });

  it('leaves folders and files to the shell', () => {
    expect(complete('sweep', '--store', 'x').kind).toBe('folders');
    expect(complete('init', '').kind).toBe('folders');
    expect(complete('report', '--comment=x').kind).toBe('files');
    expect(complete('adopt', '--profile', 'mini', '').kind).toBe('files');
    expect(words('adopt', '--s')).toEqual(['--set']);
  });
});

describe('declarations elsewhere', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'completion of é-'));
    for (const name of ['ablations', 'profiles']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'study.ts'), "export { default } from 'tinymim-ablations/tinymim';");
    writeFileSync(join(folder, 'ablations/broken.ts'), 'export default {};');
    writeFileSync(join(folder, 'profiles/own.ts'), 'export default {};');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are those that the line names, in quotes or not', () => {
    expect(words('plan', '--experiments', folder, '--profile', '')).toEqual(['own']);
    expect(words('plan', `--experiments='${folder}'`, '--only', '')).toEqual(['broken']);
    expect(words('plan', '--experiments', folder.replaceAll(' ', '\\ '), '--only', '')).toEqual(['broken']);
  });

  it('offer no name of a file that would be more than a word to a shell', () => {
    for (const name of ['$(touch x)', 'a b', '`x`', '-x', '\u001b[2J']) writeFileSync(join(folder, 'profiles', `${name}.ts`), '');
    expect(words('plan', '--experiments', folder, '--profile', '')).toEqual(['own']);
  });

  it('complete nothing where no command has loaded them, or they are not there', () => {
    expect(words('plan', '--experiments', folder, '--only', 'broken/')).toEqual([]);
    expect(words('plan', '--experiments', folder, '--set', '')).toEqual([]);
    expect(words('plan', '--experiments', join(folder, 'none'), '--only', '')).toEqual([]);
  });
});
