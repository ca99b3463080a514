/** What is offered at the end of a command line, for the program as it is. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandWords, type CommandWords, type Placeholder } from '../../../../src/cli/completion/commands.ts';
import { valuesOf, type Values } from '../../../../src/cli/completion/values.ts';
import { completions } from '../../../../src/cli/completion/words.ts';
import { createProgram } from '../../../../src/cli/program.ts';

const program = await createProgram();
const known = commandWords(program);
const complete = (...words: string[]): Promise<Values> => completions(known, words);
const words = async (...line: string[]): Promise<string[]> => (await complete(...line)).values.map(({ word }) => word);

describe('commands and options', () => {
  it('offers every command of the help and no hidden one', async () => {
    const shown = [...program.helpInformation().matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name]) => name!);
    expect(shown).toContain('sweep');
    expect(await words('')).toEqual(shown);
    expect(await words('s')).toEqual(['sweep', 'status', 'setup']);
    expect(await words('complete')).toEqual([]);
    expect(await words('help', 'stat')).toEqual(['status']);
  });

  it('offers every option of the help of a command, with what it says', async () => {
    const sweep = program.commands.find(command => command.name() === 'sweep')!;
    const shown = [...sweep.helpInformation().matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag!);
    expect(shown).toContain('--no-report');
    expect(await words('sweep', '--')).toEqual(shown);
    expect(await complete('sweep', '--dry')).toEqual({ kind: 'words', values: [{ word: '--dry-run', help: 'print the plan and do nothing' }] });
  });

  it('offers nothing for a word that may be anything, nor behind an option that there is not', async () => {
    for (const line of [
      ['sweep', '--seeds', ''],
      ['query', 'sel'],
      ['sweep', '--nothing=x'],
      ['plan', 'x'],
      ['nothing', 'x'],
    ]) {
      expect(await complete(...line), line.join(' ')).toEqual({ kind: 'words', values: [] });
    }
  });

  it('takes choices from the definition of an argument', async () => {
    expect(await words('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(await words('completion', 'z')).toEqual(['zsh']);
  });
});

describe('values', () => {
  it('knows all placeholders but those that may be anything', async () => {
    const placesOf = ({ options, operands, commands }: CommandWords): Placeholder[] => [...options.flatMap(({ value }) => value ?? []), ...operands, ...commands.flatMap(placesOf)];
    const unknown = new Set<string>();
    for (const place of placesOf(known)) {
      const { kind, values } = await valuesOf(place, '', new Map());
      if (kind === 'words' && values.length === 0) unknown.add(place.placeholder);
    }
    expect([...unknown].sort()).toEqual(['address', 'command', 'list', 'n', 'role', 'seconds', 'sql']);
  });

  it('lists ablations and arms joined by commas, and leaves the word open', async () => {
    expect(await complete('sweep', '--only', 'rel')).toEqual({ kind: 'open', values: [{ word: 'relation', help: '' }] });
    expect(await words('sweep', '--only', 'relation,mask')).toEqual(['relation,mask-ratio', 'relation,masking']);
    expect(await words('sweep', '--only', 'layer,relation/qk')).toEqual(['layer,relation/qk-vv', 'layer,relation/qk-vv-softmax']);
    expect(await words('sweep', '--only', 'nothing/')).toEqual([]);
  });

  it('takes an option with its value in one word, and as bash splits it', async () => {
    expect(await words('sweep', '--only=rel')).toEqual(['--only=relation']);
    expect(await words('sweep', '--only', '=', 'rel')).toEqual(['relation']);
    expect(await words('sweep', '--profile', '=')).toEqual(['desk', 'imagenet1k', 'mini', 'smoke']);
    expect(await words('sweep', '--profile', '=', 'mini', '--dry')).toEqual(['--dry-run']);
  });

  it('gives an arm in two steps: its ablation, then itself with its label', async () => {
    expect(await complete('explain', 'rel')).toEqual({ kind: 'open', values: [{ word: 'relation/', help: '' }] });
    expect(await complete('explain', 'relation/m')).toEqual({ kind: 'words', values: [{ word: 'relation/mae', help: 'MAE baseline' }] });
    expect(await words('diff', 'relation/mae', 'relation/qq-kk-vv-')).toEqual(['relation/qq-kk-vv-softmax']);
    expect(await words('diff', 'relation/mae', 'relation/qk-vv', 'rel')).toEqual([]);
    expect(await words('logs', '--role', 'distill', 'relation/m')).toEqual(['relation/mae']);
  });

  it('lists fields of the chosen profile that hold one value', async () => {
    expect(await complete('sweep', '--set', 'distill.schedule.e')).toEqual({ kind: 'open', values: [{ word: 'distill.schedule.epochs=', help: '' }] });
    expect(await words('sweep', '--set', 'na')).toEqual([]);
    expect(await words('sweep', '--profile', 'imagenet1k', '--set', 'throughput.d')).toEqual(['throughput.device=']);
    expect(await words('sweep', '--set', 'throughput.d')).toEqual([]);
  });

  it('leaves folders and files to the shell', async () => {
    expect((await complete('sweep', '--store', 'x')).kind).toBe('folders');
    expect((await complete('init', '')).kind).toBe('folders');
    expect((await complete('report', '--comment=x')).kind).toBe('files');
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

  it('are those that the line names, in quotes or not', async () => {
    expect(await words('plan', '--experiments', folder, '--profile', '')).toEqual(['own']);
    expect(await words('plan', `--experiments='${folder}'`, '--only', '')).toEqual(['broken']);
    expect(await words('plan', '--experiments', folder.replaceAll(' ', '\\ '), '--only', '')).toEqual(['broken']);
  });

  it('complete nothing where they are broken or not there', async () => {
    expect(await words('plan', '--experiments', folder, '--only', 'broken/')).toEqual([]);
    expect(await words('plan', '--experiments', folder, '--set', '')).toEqual([]);
    expect(await words('plan', '--experiments', join(folder, 'none'), '--only', '')).toEqual([]);
  });
});
