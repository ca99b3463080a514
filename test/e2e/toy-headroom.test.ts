/** What arms rest on is run with them and shown in grey in their tables: the real program on the toy study, whose grafts rest on their stocks. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseMarkup } from '../helpers/report/dom.ts';
import { editableStudy, type EditableStudy } from '../toy/editable.ts';

const HEADROOM = `  realise,
  headroom: {
    name: 'stocks',
    title: 'Stocks, weighed',
    note: 'In grey: the stocks that arms of this table are grafted on.',
    of: f => (f.grafted ? [{ name: f.variety, label: \`\${f.variety} on its own root\`, factors: { variety: f.variety, grafted: false } }] : []),
    baseline: () => ({ grafted: false, cut: 0.5 }),
  },
`;

interface Planned {
  readonly arms: { ablation: string; arm: string; seed: number; stages: Record<string, string>; final: string }[];
}

function sound(): EditableStudy {
  const study = editableStudy('quick');
  for (const name of ['trouble', 'side-by-side']) rmSync(join(study.folder, `test/toy/experiments/ablations/${name}.ts`));
  return study;
}

const study = sound();
const read = (file: string): string => readFileSync(join(study.folder, 'reports/quick', file), 'utf8');
const REPORT_CHECKED = 'reports/quick is what its records and the declarations give.';

async function ablate(...[command, ...args]: [string, ...string[]]): Promise<string> {
  const { exitCode, all } = await study.ablate(command, ...args);
  if (exitCode !== 0) throw new Error(all);
  return all;
}
const planned = async (...args: string[]): Promise<Planned> => JSON.parse(await ablate('plan', '--json', ...args)) as Planned;
const namesOf = ({ arms }: Planned): string[] => arms.map(({ ablation, arm }) => `${ablation}/${arm}`);
const sweep = (...args: string[]): Promise<string> => ablate('sweep', '--devices', 'inline', ...args);

/** Rows of a section's table of results: label, class, cells. */
function rowsOf(ablation: string): { label: string; isAside: boolean; cells: string[] }[] {
  const rows = parseMarkup(read('index.html')).querySelector(`#ablation-${ablation} table`)!.querySelectorAll('tbody tr');
  return [...rows].map(row => ({
    label: row.querySelector('th')!.textContent.trim(),
    isAside: row.getAttribute('class') === 'aside',
    cells: [...row.querySelectorAll('td')].map(cell => cell.textContent.trim()),
  }));
}

let before: Planned;
beforeAll(async () => {
  before = await planned('--seeds', '0,1');
  study.edit('experiments/study.ts', '  realise,\n', HEADROOM);
});

describe('headroom', () => {
  it('is planned once for all tables, and changes no key of the declared arms', async () => {
    const { arms } = await planned('--seeds', '0,1');
    expect(arms.slice(0, before.arms.length)).toEqual(before.arms);
    expect(arms.slice(before.arms.length).map(({ ablation, arm, seed }) => `${ablation}/${arm} ${seed}`)).toEqual(['stocks/oak 0', 'stocks/elm 0', 'stocks/oak 1', 'stocks/elm 1']);
  });

  it.each([
    [['cut'], ['cut/whole', 'cut/half', 'cut/none', 'stocks/oak']],
    [['variety/elm'], ['variety/elm', 'stocks/elm']],
    [['variety/own-root'], ['variety/own-root']],
    [['stocks/elm'], ['stocks/elm']],
    [['stocks'], ['stocks/oak', 'stocks/elm']],
    [
      ['cut/none', 'stocks/*m'],
      ['cut/none', 'stocks/oak', 'stocks/elm'],
    ],
  ])('goes with the arms that rest on it, and can be chosen alone: --only %j', async (only, expected) => {
    expect(namesOf(await planned('--only', only.join(',')))).toEqual(expected);
  });

  it('is shown as not run where it has not been, and with its number in each table once it has', async () => {
    await sweep('--only', 'variety/elm');
    expect(rowsOf('cut').at(-1)).toEqual({ label: 'oak on its own root', isAside: true, cells: ['not run'] });
    expect(rowsOf('variety').slice(-2)).toEqual([
      { label: 'oak on its own root', isAside: true, cells: ['not run'] },
      { label: 'elm on its own root', isAside: true, cells: [expect.stringMatching(/^\d/) as string] },
    ]);
    await sweep();
    const [inCut, inVariety] = ['cut', 'variety'].map(name => rowsOf(name).find(({ label }) => label === 'oak on its own root')!);
    expect(inCut).toEqual(inVariety);
    // At seed 0 the very stages of the arm of that name.
    expect(inCut!.cells[0]).toBe(rowsOf('variety').find(({ label }) => label === 'Oak on its own root')!.cells[0]);
    expect(rowsOf('cut').filter(({ isAside }) => !isAside)).toHaveLength(3);
    expect(await ablate('report', '--check')).toBe(REPORT_CHECKED);
  });

  it('stands in every form of a table, under its note, and in no count, chart or claim', () => {
    const text = read('README.md');
    expect(text).toContain('Nothing is claimed: 6 of 6 arms are measured');
    expect(text).toMatch(/^\| \*oak on its own root\* \| \d/m);
    expect(text).toContain('In grey: the stocks that arms of this table are grafted on.');
    expect(text).not.toContain('Stocks, weighed');
    expect(read('tables/cut.tex')).toMatch(/\\textit\{oak on its own root\} & \d/);
    expect(read('tables/cut.csv')).toMatch(/^stocks\/oak,oak on its own root,false,done,1,/m);
    expect(read('figures/cut-result.svg')).not.toContain('own root');
    expect(read('report.json')).not.toContain('stocks');
  });

  it('is warned of on top of each table whose arms are to beat no less than it, and its images are told below', () => {
    // At seed 0 they are the same stages.
    const warning = /oak on its own root \(\S+, 1 seed\) is no better than (variety: )?Oak on its own root \(\S+, 1 seed\), the baseline: arms that rest on it have little to gain\./;
    const [cut, variety] = read('README.md').split('\n## ').slice(-2);
    for (const [name, section] of [
      ['cut', cut!],
      ['variety', variety!],
    ] as const) {
      expect(parseMarkup(read('index.html')).querySelector(`#ablation-${name} .caution`)!.textContent.replaceAll('\u00a0%', '')).toMatch(warning);
      expect(section.replaceAll('\u00a0%', '').search(warning)).toBeGreaterThan(0);
      expect(section.search('no better than')).toBeLessThan(section.indexOf('| Arm |'));
      expect(section.indexOf('| Arm |')).toBeLessThan(section.indexOf('(stock 0 + 5)'));
    }
    // The elm is better than that.
    expect(variety).not.toMatch(/elm on its own root \(/);
  });

  it('is explained, compared and told of as any arm', async () => {
    expect(await ablate('explain', 'stocks/elm')).toMatch(/weigh +weigh +[0-9a-f]{12} +done/);
    expect(await ablate('diff', 'stocks/elm', 'variety/elm')).toContain('a - b =');
    expect(await ablate('status')).toMatch(/^ *stocks +\d/m);
    expect(await ablate('clean')).toContain('Every stage of toy in store/ is needed by a declared arm.');
  });

  it('is a condition of a report with verdicts, which says after what came out by how much it is missed', async () => {
    expect(read('README.md')).not.toContain('What this scale can show');
    study.edit('experiments/profiles/quick.ts', 'seeds: [0]', 'seeds: [0, 1, 2]');
    await sweep();
    const text = read('README.md');
    expect(text).toMatch(/^\*\*.*\*\* This scale may hide effects: in [12] of 2 comparisons .* on its own root”.* of 3 standard errors/m);
    const rows = read('tables/conditions.csv')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map(line => line.split(','));
    expect(rows.map(([condition, arm, baseline, , n]) => [condition, arm, baseline, n])).toEqual(
      ['oak', 'elm'].map(stock => ['headroom', `stocks/${stock}`, expect.stringMatching(/^(variety|cut)\//) as string, '3']),
    );
    for (const [, , , state, , value, error, needed] of rows) {
      expect(Number(needed)).toBeCloseTo(3 * Number(error), 9);
      expect(state).toBe(Number(value) >= Number(needed) ? 'met' : 'missed');
    }
    expect(await ablate('report', '--check')).toBe(REPORT_CHECKED);
    study.edit('experiments/profiles/quick.ts', 'seeds: [0, 1, 2]', 'seeds: [0]');
  });

  it('that is an arm of a table itself has no row there, which is said', async () => {
    study.edit('experiments/ablations/cut.ts', '  arms: [\n', "  arms: [\n    { name: 'own', label: 'Never cut', factors: { grafted: false } },\n");
    await ablate('report');
    expect(rowsOf('cut').some(({ isAside }) => isAside)).toBe(false);
    expect(read('README.md')).toContain('Stocks, weighed, as arms of this table: oak on its own root (Never cut).');
    expect(rowsOf('variety').some(({ isAside }) => isAside)).toBe(true);
  });

  it('refuses an ablation of its name, and two arms of one name', async () => {
    const file = join(study.folder, 'test/toy/experiments/ablations/stocks.ts');
    writeFileSync(file, 'export default {}');
    const taken = await study.ablate('plan');
    expect([taken.exitCode, taken.stderr]).toEqual([2, expect.stringContaining("ablations/stocks.ts: expected another name than 'stocks', under which the study has its headroom") as string]);
    rmSync(file);
    study.edit('experiments/study.ts', 'name: f.variety, label', "name: 'tree', label");
    const twice = await study.ablate('plan');
    expect([twice.exitCode, twice.stderr]).toEqual([2, expect.stringContaining("Expected one arm of the name 'stocks/tree', got another for variety/elm") as string]);
  });
});
