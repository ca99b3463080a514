/** The parts of the race that need neither a clock nor PyTorch: order statistics, comparing curves, goals, tables, arguments. */
import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../bench/race/args.ts';
import { CASES } from '../../bench/race/cases.ts';
import { toVega } from '../../bench/files.ts';
import { chartAlt, chartPoints, speedChart } from '../../bench/race/chart.ts';
import { CONTENDERS } from '../../bench/race/contenders.ts';
import { deviation, outcomeDeviation } from '../../bench/race/curves.ts';
import { stepGoals, sweepBounds, sweepGoals } from '../../bench/race/goals.ts';
import { bfloat16Flags } from '../../bench/race/machine.ts';
import { readme } from '../../bench/race/report.ts';
import { quantile, speedRatio, summarise } from '../../bench/race/statistics.ts';
import { wrongCurves, type CaseResult, type ContenderResult } from '../../bench/race/steps.ts';
import { SWEEP_CONTENDERS, wrongOutcomes, type SweepResult } from '../../bench/race/sweep.ts';
import { stepTable, sweepTable } from '../../bench/race/tables.ts';
import { renderSvg } from '../../../src/core/report/charts/svg/svg.ts';

const result = (name: string, secondsPerStep: number[], more: Partial<ContenderResult> = {}): ContenderResult => ({
  contender: CONTENDERS.find(c => c.name === name)!,
  secondsPerStep,
  startSeconds: 1,
  peakBytes: 2e9,
  deviation: 1e-6,
  ...more,
});
const race = (...results: ContenderResult[]): CaseResult => ({ step: CASES[0]!, stepsPerRound: 3, results });
const reference = result('pytorch', [1, 2, 4], { deviation: 0 });

describe('order statistics', () => {
  it('interpolate between neighbours', () => {
    expect(quantile([4, 1, 2, 3], 0.5)).toBe(2.5);
    expect(summarise([5])).toEqual({ median: 5, low: 5, high: 5 });
    expect(summarise([1, 2, 3, 4, 5])).toEqual({ median: 3, low: 2, high: 4 });
    expect(() => quantile([], 0.5)).toThrow(/at least one/);
  });

  it('compare within a round, so that a slow round of both changes nothing', () => {
    expect(speedRatio([0.5, 1, 2], [1, 2, 4])).toEqual({ median: 2, low: 2, high: 2 });
    expect(() => speedRatio([1], [1, 2])).toThrow(/as many rounds/);
  });
});

describe('curves', () => {
  it('differ by the largest relative difference', () => {
    expect(deviation([1, 2.2, 3], [1, 2, 3])).toBeCloseTo(0.1);
    expect(deviation([1, NaN], [1, 2])).toBe(Infinity);
    expect(deviation([1], [1, 2])).toBe(Infinity);
    expect(deviation([], [])).toBe(Infinity);
  });

  it('of a wrong step fail the race, those within the tolerance of their precision do not', () => {
    expect(wrongCurves(race(reference, result('graph', [1, 1, 1]), result('graph bf16', [1, 1, 1], { deviation: 5e-3 })))).toEqual([]);
    expect(wrongCurves(race(reference, result('graph', [1, 1, 1], { deviation: 5e-3 })))).toEqual([expect.stringContaining("'graph'")]);
    expect(wrongCurves(race(reference, result('eager', [1, 1, 1], { deviation: NaN })))).toHaveLength(1);
  });

  it('of sweeps are compared arm by arm, their accuracies as means', () => {
    const arms = { a: { loss: 1, accuracy: 0.5 }, b: { loss: 2, accuracy: 0.7 } };
    const other = outcomeDeviation({ a: { loss: 1.1, accuracy: 0.6 }, b: { loss: 2, accuracy: 0.7 } }, arms);
    expect(other.loss).toBeCloseTo(0.1);
    expect(other.accuracy).toBeCloseTo(0.05);
    expect(outcomeDeviation({ a: arms.a }, arms).loss).toBe(Infinity);
  });
});

const sweepResult = (index: number, seconds: number[], loss = 1): SweepResult => ({
  contender: SWEEP_CONTENDERS[index]!,
  runs: seconds.map(s => ({ seconds: s, startSeconds: 3, peakBytes: 1e9, arms: { a: { loss, accuracy: 0.5 } } })),
});

describe('goals', () => {
  const results = race(reference, result('pytorch bf16', [1, 2, 4]), result('graph', [0.9, 1.8, 3.6]), result('hybrid', [0.5, 1, 2]), result('graph bf16', [0.8, 1.6, 3.2]));

  it('are of the fastest mode in a precision', () => {
    expect(stepGoals(results, { threads: 2, bfloat16: true }).map(({ by, least, reached }) => [by, least, reached])).toEqual([
      ['hybrid', 1.25, true],
      ['graph bf16', 1.75, false],
      ['graph bf16', 1.2, true],
    ]);
  });

  it('apply where they were set: on two threads, to distillation, and of bfloat16 with its instructions', () => {
    expect(stepGoals(results, { threads: 2, bfloat16: false })).toHaveLength(1);
    expect(stepGoals(results, { threads: 4, bfloat16: true })).toEqual([]);
    expect(stepGoals({ ...results, step: CASES.find(({ kind }) => kind === 'finetune')! }, { threads: 2, bfloat16: true })).toEqual([]);
  });

  it('of the sweep are measured against PyTorch and against the bound of perfect sharing', () => {
    const sweep = [sweepResult(0, [90, 100]), sweepResult(1, [45, 50]), sweepResult(2, [30, 33])];
    const bounds = sweepBounds(sweep, race(reference, result('graph', [0.5, 1, 2]), result('graph bf16', [0.4, 0.8, 1.6])), 1.5);
    expect(bounds.map(({ bound }) => bound)).toEqual([3, 3.75]);
    const goals = sweepGoals(sweep, bounds, { cores: 2, bfloat16: true });
    expect(goals.map(({ by, reached }) => [by, reached])).toEqual([
      ['graph', true],
      ['graph bf16', true],
      ['graph bf16', true],
    ]);
    expect(sweepGoals(sweep, bounds, { cores: 8, bfloat16: true })).toEqual([]);
    expect(sweepTable(sweep, bounds)[2]).toEqual(['graph', '47.5 (46.3 to 48.8)', '3.0 s', '2.00 (2.00 to 2.00)', '3.00', '1.00 GB', '50.0 %']);
    expect(wrongOutcomes(sweep)).toEqual([]);
    expect(wrongOutcomes([sweep[0]!, sweepResult(1, [45, 50], 1.5)])).toEqual([expect.stringContaining("'graph'")]);
  });
});

describe('what is shown', () => {
  const results = race(reference, result('graph', [0.5, 1, 2]), result('pytorch compile', [], { skipped: 'no C++ compiler' }));

  it('has a row for each contender, and the reason for one that was left out', () => {
    const [head, first, graph, compile] = stepTable(results);
    expect(head).toHaveLength(7);
    expect(first!.slice(0, 4)).toEqual(['pytorch', '2000 (1500 to 3000)', '1.00 (1.00 to 1.00)', '-']);
    expect(graph!.slice(0, 3)).toEqual(['graph', '1000 (750 to 1500)', '2.00 (2.00 to 2.00)']);
    expect(compile![1]).toContain('no C++ compiler');
  });

  it('is the same Markdown and the same chart for the same results', async () => {
    const all = {
      machine: { cpu: 'A processor', cores: 2, memoryBytes: 2 ** 33, bfloat16: [], busy: 0.5 },
      versions: { PyTorch: '2.13.0' },
      device: 'CPU',
      threads: 2,
      cases: [results],
      sweep: undefined,
      goals: [],
    };
    expect(readme(all)).toBe(readme(all));
    expect(readme(all)).toContain('A processor, 2 cores, 8 GiB, no bfloat16 instructions');
    expect(readme(all)).toContain('50 % of the processor before the race: too much');
    expect(readme(all)).toContain('None applies');
    const points = chartPoints([results], []);
    expect(points.map(({ contender, median }) => [contender, median])).toEqual([
      ['pytorch', 1],
      ['graph', 2],
    ]);
    expect(chartAlt(points)).toContain('graph: 2.00');
    expect((await renderSvg(toVega(speedChart(points)))).svg).toBe((await renderSvg(toVega(speedChart(points)))).svg);
  });
});

describe('the machine', () => {
  it('multiplies bfloat16 where its flags say so', () => {
    expect(bfloat16Flags('processor : 0\nflags\t\t: fpu avx512f avx512_bf16 amx_bf16\n')).toEqual(['avx512_bf16', 'amx_bf16']);
    expect(bfloat16Flags('Features\t: fp asimd bf16\n')).toEqual(['bf16']);
    expect(bfloat16Flags('flags : fpu avx2 not_bf16_at_all')).toEqual([]);
  });
});

describe('arguments', () => {
  it('choose races, contenders and rounds', () => {
    const all = parseOptions([], 2);
    expect(all).toMatchObject({ sweep: true, rounds: 7, threads: 2, device: 'cpu', reports: 'reports/bench' });
    expect(all.cases).toEqual(CASES.map(({ name }) => name));
    const some = parseOptions(['--only', 'distill-224', '--rounds', '3', '--contenders', 'graph', '--no-report'], 2);
    expect(some).toMatchObject({ cases: ['distill-224'], sweep: false, rounds: 3, contenders: ['graph', 'pytorch'], reports: undefined });
    expect(parseOptions(['--device', 'gpu'], 2)).toMatchObject({ sweep: false, reports: 'reports/bench-gpu' });
  });

  it.each([
    [['--only', 'stp'], /did you mean 'step'/],
    [['--rounds', '0'], /whole number/],
    [['--device', 'tpu'], /cpu or gpu/],
    [['--device', 'gpu', '--only', 'sweep'], /on the CPU/],
    [['--fast'], /--only <list>/],
    [['--contenders', 'torch'], /expected of pytorch/],
  ])('are refused when wrong: %s', (argv, message) => {
    expect(() => parseOptions(argv, 2)).toThrow(message);
  });
});
