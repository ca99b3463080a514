import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from '../../../../src/core/ablation/define.ts';
import { codeOfProgram } from '../../../../src/core/code/program-code.ts';
import { codeOfKind } from '../../../../src/core/code/kind-code.ts';
import { commandStage } from '../../../../src/core/command/command-stage.ts';
import { LineSplitter } from '../../../../src/core/command/lines.ts';

const SHARE = { label: 'l', unit: 'fraction', better: 'higher', help: 'h' } as const;
const good = {
  name: 'train',
  revision: 1,
  recipe: z.object({ lr: z.number(), model: z.object({ width: z.int() }) }),
  metrics: { accuracy: SHARE },
  command: ['python3', 'train.py', '--lr={recipe.lr}', '{recipe.model.width}', '{seed}', '{output}'],
  sources: ['command-stage.test.ts'],
};

describe('a declaration', () => {
  it('has a strict recipe, and its code in its key', () => {
    const kind = commandStage(good);
    expect(kind.recipe.safeParse({ lr: 1, model: { width: 2 } }).success).toBe(true);
    expect(kind.recipe.safeParse({ lr: 1, model: { width: 2 }, momentum: 0.9 }).success).toBe(false);
    expect(kind.codeInKey).toBe(true);
    expect(kind.cost({}, {})).toEqual({ labelledImages: 0, unlabelledImages: 0, flops: 0 });
    expect(codeOfKind(kind)).toEqual({ hash: expect.stringMatching(/^[0-9a-f]{32}$/) as string, files: [import.meta.filename] });
  });

  it.each<[string, object, string]>([
    ['the line of a shell', { command: 'python3 train.py' }, "command: expected array, got 'python3 train.py' (string)"],
    ['the line of a shell as a word', { command: ['python3 train.py'] }, 'command: expected a program and its arguments word by word, not the line of a shell'],
    ['no word', { command: [] }, 'command: expected the words of a command, got a list of 0'],
    ['no source', { sources: [] }, 'sources: expected the files that make the numbers'],
    ['no metric', { metrics: {} }, 'metrics: expected at least one number of the result, got an object with no fields'],
    ['no schema', { recipe: { lr: 1 } }, 'recipe: expected z.object({ ... }), got an object with lr'],
    ['an unknown option', { enviroment: {} }, "enviroment: unknown field; did you mean 'environment'?"],
    [
      'a slot that is no part of a variable',
      { upstream: { 'my-start': { kinds: ['train'] } } },
      'upstream: expected slots with names in lower case, which become parts of variables, got an object with my-start',
    ],
    ['a variable that is none', { environment: { 'A B': '1' } }, 'environment: expected names of variables, got an object with A B'],
    ['a name that stands for nothing', { command: ['python3', '{recipe.lrr}'] }, "command[1]: expected the name of something that a program is told, got {recipe.lrr}; did you mean 'recipe.lr'?"],
    ['a slot that may be empty', { upstream: { start: { kinds: ['train'], optional: true } }, environment: { FROM: '{upstream.start}' } }, 'environment.FROM: expected the name'],
  ])('with %s is refused', (_, wrong, message) => {
    expect(() => commandStage({ ...good, ...wrong })).toThrow(`commandStage 'train': `);
    expect(() => commandStage({ ...good, ...wrong })).toThrow(message);
  });
});

describe('the code of a program', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'program-code-'));
    mkdirSync(join(folder, 'model/__pycache__'), { recursive: true });
    for (const name of ['train.py', 'model/vit.py', 'model/__pycache__/vit.pyc', 'model/.hidden', 'other.py']) writeFileSync(join(folder, name), name);
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const code = (sources: readonly string[], told = {}) => codeOfProgram({ sources, told }, join(folder, 'study.ts'));

  it('is that of its files, of those below its folders, and of what it is told', () => {
    const before = code(['train.py', 'model'], { arguments: ['train.py'] });
    expect(before).toMatchObject({ files: [join(folder, 'train.py'), join(folder, 'model/vit.py')] });
    for (const name of ['other.py', 'model/.hidden', 'model/__pycache__/vit.pyc']) writeFileSync(join(folder, name), 'changed');
    expect(code(['train.py', 'model'], { arguments: ['train.py'] })).toEqual(before);
    expect(code(['train.py', 'model'], { arguments: ['train.py', '--fast'] })).not.toEqual(before);
    writeFileSync(join(folder, 'model/vit.py'), 'changed');
    expect(code(['train.py', 'model'], { arguments: ['train.py'] })).not.toEqual(before);
  });

  it('is the same wherever it lies, and whichever way its lines end', () => {
    const copy = mkdtempSync(join(tmpdir(), 'program-code-'));
    const hash = (at: string) => codeOfProgram({ sources: ['train.py'], told: {} }, join(at, 'study.ts'));
    writeFileSync(join(folder, 'train.py'), 'a\nb\n');
    writeFileSync(join(copy, 'train.py'), 'a\r\nb\r\n');
    expect(hash(copy)).toMatchObject({ hash: (hash(folder) as { hash: string }).hash });
    rmSync(copy, { recursive: true });
  });

  it('of more files than code has, or of a link that leads nowhere, is told as unknown', () => {
    symlinkSync('nowhere', join(folder, 'model/link'));
    expect(code(['model'])).toEqual({ unknown: expect.stringContaining('expected to read its sources (model)') as string });
    mkdirSync(join(folder, 'data'));
    for (let i = 0; i <= 5000; i++) writeFileSync(join(folder, 'data', String(i)), '');
    expect(code(['data'])).toEqual({ unknown: 'expected at most 5000 files of sources, got 5001; name files, or a smaller folder' });
  });
});

it('lines come out of any pieces, and of a long one the beginning', () => {
  const text = 'one\n\ntwö and more\nlast';
  for (let size = 1; size < 8; size++) {
    const lines = new LineSplitter(5),
      bytes = Buffer.from(text),
      found = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...lines.push(bytes.subarray(at, at + size)));
    expect(found).toEqual([
      { text: 'one', bytes: 3 },
      { text: '', bytes: 0 },
      { text: 'twö ', bytes: 13 },
    ]);
    expect(lines.rest()).toEqual({ text: 'last', bytes: 4 });
    expect(lines.rest()).toBeUndefined();
  }
});
