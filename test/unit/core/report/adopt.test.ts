import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineKind, z } from '../../../../src/core/ablation/define.ts';
import type { Study } from '../../../../src/core/ablation/declaration.ts';
import type { MetricSpec } from '../../../../src/core/ablation/kind.ts';
import { UsageError } from '../../../../src/core/ablation/errors.ts';
import { isDeclared, parseAdoption, readAdoptionFile, type AdoptionInput } from '../../../../src/core/report/adopt.ts';
import type { AdoptedNumber } from '../../../../src/core/report/records/adopted.ts';
import { claimAblation } from '../../../helpers/report/claims.ts';
import { sampleStudy } from '../../../helpers/report/sample.ts';

const metric = (unit: MetricSpec['unit'], better: MetricSpec['better']): MetricSpec => ({ label: `a ${unit}`, unit, better, help: 'sample' });
const other = defineKind({
  name: 'other',
  revision: 1,
  recipe: z.record(z.string(), z.json()),
  upstream: {},
  metrics: { error_share: metric('fraction', 'lower'), nats: metric('loss', 'lower'), parts: metric('count', 'higher'), quotient: metric('ratio', 'none') },
  cost: () => ({ labelledImages: 0, unlabelledImages: 0, flops: 0 }),
  load: () => Promise.reject(new Error('Sample stages do not run.')),
});
const measure = (name: string) => ({ role: 'other', metric: name, standardError: 'none' });
const study: Study = {
  ...sampleStudy,
  kinds: [...sampleStudy.kinds, other],
  report: { ...sampleStudy.report, measures: { mce: measure('error_share'), nats: measure('nats'), parts: measure('parts'), quotient: measure('quotient') } },
};
const ablations = [claimAblation('relation', ['mae', 'qk-vv'], []), { ...claimAblation('many', ['one'], []), measures: ['accuracy', 'mce', 'nats', 'parts', 'quotient'] }];
const input: AdoptionInput = { study, profile: { name: 'sample', seeds: [0, 1] }, ablations, records: [], adopted: [] };

const HEADER = 'ablation,arm,seed,metric,value,note';
const read = (text: string, of: Partial<AdoptionInput> = {}): AdoptedNumber[] => parseAdoption(text, '/elsewhere/their.csv', { ...input, ...of });
const one = (line: string): AdoptedNumber => read(`${HEADER}\n${line}\n`)[0]!;

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'accepted';
}
const refused = (...lines: string[]): string => messageOf(() => read([HEADER, ...lines].join('\n')));

describe('a CSV of numbers', () => {
  it('gives a number for each line, in the unit of results', () => {
    expect(read(`${HEADER}\nrelation,mae,3,accuracy,83.4,"a colleague, elsewhere"\nrelation,mae,,accuracy,84,Appendix C\n`)).toEqual([
      { ablation: 'relation', arm: 'mae', metric: 'accuracy', seed: 3, value: 0.834, note: 'a colleague, elsewhere' },
      { ablation: 'relation', arm: 'mae', metric: 'accuracy', seed: null, value: 0.84, note: 'Appendix C' },
    ]);
  });

  it('is read as spreadsheets write it: marks at its beginning and at the ends of lines, spaces, empty lines, columns in any order', () => {
    const text = '\ufeffnote, value ,metric,seed,arm,ablation\r\n\r\n"say ""so""  twice" , 83.4, accuracy, 0, mae, relation\r\n';
    expect(read(text)).toEqual([{ ablation: 'relation', arm: 'mae', metric: 'accuracy', seed: 0, value: 0.834, note: 'say "so" twice' }]);
  });

  it('names a measure, or the metric that it is read from', () => {
    expect(['mce', 'error_share'].map(name => one(`many,one,0,${name},40,n`).metric)).toEqual(['mce', 'mce']);
  });

  it('has values as tables show them: percent of fractions, others as they are', () => {
    const values = (['accuracy,83.4', 'accuracy,0', 'accuracy,100', 'accuracy,8.34e1', 'accuracy,0.83%', 'accuracy,1 %', 'mce,132.5', 'nats,0.83', 'nats,-2', 'parts,12', 'quotient,.5'] as const).map(
      rest => one(`many,one,0,${rest},n`).value,
    );
    expect(values).toEqual([0.834, 0, 1, 0.834, 0.0083, 0.01, 1.325, 0.83, -2, 12, 0.5]);
  });

  it('may have the same line twice, and what the report has already', () => {
    const line = 'relation,mae,0,accuracy,83.4,n';
    const [known] = read(`${HEADER}\n${line}`);
    expect(read(`${HEADER}\n${line}\n${line}\n`, { adopted: [known!] })).toEqual([known, known]);
  });
});

describe('what is not right is refused with its line', () => {
  it.each([
    ['an unknown ablation', 'relaton,mae,0,accuracy,83.4,n', "line 2: expected an ablation, got 'relaton'; did you mean 'relation'?"],
    ['an unknown arm', 'relation,maee,0,accuracy,83.4,n', "line 2: expected an arm of relation, got 'maee'; did you mean 'mae'?"],
    ['a metric of another ablation', 'relation,mae,0,mce,40,n', "line 2: expected a number that arms of relation are compared by, got 'mce' (known: accuracy)"],
    [
      'a fraction where percent is shown',
      'relation,mae,0,accuracy,0.83,n',
      "line 2: value: expected test accuracy in percent, as tables show it, got '0.83', which is doubtful. Write 83; or, where 0.83 percent is meant, 0.83%",
    ],
    ['more than all', 'relation,mae,0,accuracy,8340,n', "line 2: value: expected test accuracy in percent, from 0 to 100, got '8340'"],
    ['less than nothing', 'relation,mae,0,accuracy,-3,n', "from 0 to 100, got '-3'"],
    ['less than nothing of what has no end', 'many,one,0,mce,-3,n', "in percent, from 0, got '-3'"],
    ['percent of what is none', 'many,one,0,nats,3%,n', "expected a number without a unit (a loss is no percentage), got '3%'"],
    ['a count below nothing', 'many,one,0,parts,-1,n', "expected a count from 0, got '-1'"],
    ['no number', 'relation,mae,0,accuracy,,n', "value: expected a decimal number such as 83.4, got ''"],
    ['NaN', 'relation,mae,0,accuracy,NaN,n', "got 'NaN'"],
    ['infinity', 'relation,mae,0,accuracy,Infinity,n', "got 'Infinity'"],
    ['a number beyond numbers', 'relation,mae,0,accuracy,1e999,n', "got '1e999'"],
    ['another base', 'relation,mae,0,accuracy,0x53,n', "got '0x53'"],
    ['a comma for the point', 'relation,mae,0,accuracy,"83,4",n', "got '83,4'"],
    ['two numbers in one', 'relation,mae,0,accuracy,83.4 ± 0.2,n', "got '83.4 ± 0.2'"],
    ['a seed below 0', 'relation,mae,-1,accuracy,83.4,n', "line 2: seed: expected an integer from 0 to 4294967295, or nothing for a number without a seed, got '-1'"],
    ['a seed beyond seeds', 'relation,mae,4294967296,accuracy,83.4,n', "got '4294967296'"],
    ['no note', 'relation,mae,0,accuracy,83.4,', 'line 2: note: expected who gave this number and where from, got nothing'],
    ['a note with a control character', 'relation,mae,0,accuracy,83.4,a\u001b[2Jb', "line 2: note: expected one line of text, got control characters or line breaks in 'a [2Jb'"],
    ['a note that turns text round', 'relation,mae,0,accuracy,83.4,a\u202eb', 'got control characters'],
    ['a note of two lines', 'relation,mae,0,accuracy,83.4,"a\nb"', 'line 3: note: expected one line of text'],
    ['a note without end', `relation,mae,0,accuracy,83.4,${'n'.repeat(301)}`, 'line 2: note: expected at most 300 characters, got 301'],
    ['too few cells', 'relation,mae,0,accuracy,83.4', 'line 2: expected 6 cells as in the header, got 5. A cell with a comma in it stands in double quotes'],
    ['too many cells', 'relation,mae,0,accuracy,83.4,me, elsewhere', 'line 2: expected 6 cells as in the header, got 7'],
    ['an open quotation mark', 'relation,mae,0,accuracy,83.4,"n', 'expected CSV, got: Quote Not Closed'],
    ['a line without end', `relation,mae,0,accuracy,83.4,"${'n'.repeat(20_000)}`, 'expected CSV, got: Max Record Size'],
  ])('%s', (_, line, message) => {
    expect(refused(line)).toContain(message);
    expect(refused(line)).toMatch(/^their\.csv/);
  });

  it('two values of one source for one seed, in the file or beside what the report has', () => {
    const lines = ['relation,mae,0,accuracy,83.4,n', 'relation,mae,0,accuracy,83.5,other', 'relation,mae,0,accuracy,83.5,n'];
    expect(refused(...lines)).toContain('line 4: expected one value from one source for accuracy of relation/mae, seed 0, got another than line 2 has (as a result: 0.835 and 0.834).');
    const adopted = [one(lines[0]!)];
    expect(messageOf(() => read(`${HEADER}\n${lines[2]!}`, { adopted }))).toContain(
      "got another than the report already has (as a result: 0.835 and 0.834). To take this one instead: ablate report --prune --adopted '...'",
    );
  });

  it('every line that is wrong is told, the first five whole', () => {
    const lines = ['relation,mae,0,accuracy,83.4,n', ...Array.from({ length: 7 }, (_, i) => `relation,x${i},0,accuracy,83.4,n`)];
    const told = refused(...lines).split('\n');
    expect(told.map(line => /line \d+/.exec(line)?.[0])).toEqual(['line 3', 'line 4', 'line 5', 'line 6', 'line 7', undefined, undefined]);
    expect(told.slice(-2)).toEqual(['and 2 more lines', 'Nothing was adopted.']);
  });

  it.each([
    ['', 'line 1: expected the columns ablation, arm, seed, metric, value, note, in any order, got an empty file'],
    ['ablation;arm;seed;metric;value;note\n', 'Cells are separated by commas'],
    ['ablation,arm,seed,metric,value\n', "got 'ablation, arm, seed, metric, value'"],
    ['ablation,arm,seeds,metric,value,note\n', "did you mean 'seed'?"],
    [`${HEADER},note\n`, 'expected the columns'],
    [`${HEADER}\n\n`, 'expected a line for each number below the header, got none'],
  ])('a header or a table that is none: %j', (text, message) => expect(messageOf(() => read(text))).toContain(message));
});

describe('the file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'adopt-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const make = (name: string, by: (path: string) => void): string => {
    by(join(folder, name));
    return join(folder, name);
  };

  it('is text of a sensible size and nothing else', () => {
    const whole = make('whole.csv', path => writeFileSync(path, '\ufeffa,é\n'));
    expect(readAdoptionFile(whole)).toBe('a,é\n');
    const cases = {
      absent: [join(folder, 'absent.csv'), 'which does not exist'],
      link: [make('link.csv', path => symlinkSync(whole, path)), 'expected a file of its own, got a symbolic link'],
      folder: [folder, 'expected a file, got a folder'],
      pipe: [make('pipe.csv', path => void execFileSync('mkfifo', [path])), 'expected a file, got a pipe'],
      huge: [
        make('huge.csv', path => {
          writeFileSync(path, '');
          truncateSync(path, 3 * 1024 ** 3);
        }),
        'expected at most 16777216 bytes, got 3221225472',
      ],
      latin: [make('latin.csv', path => writeFileSync(path, Buffer.from('a,é\n', 'latin1'))), 'expected text in UTF-8'],
    };
    for (const [path, message] of Object.values(cases)) expect(messageOf(() => readAdoptionFile(path!))).toContain(message);
  });
});

it('what is declared no more is known', () => {
  const number = one('many,one,0,mce,40,n');
  expect([number, { ...number, ablation: 'gone' }, { ...number, arm: 'gone' }, { ...number, metric: 'error_share' }].map(each => isDeclared(each, study, ablations))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
