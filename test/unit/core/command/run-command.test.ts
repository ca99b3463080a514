/** Programs that do as they should and programs that do not, as real child processes: what becomes of each, in a sentence. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Interrupted } from '../../../../src/core/ablation/errors.ts';
import type { JsonObject, MetricRecord, Progress, StageContext, StageKind, StageResult } from '../../../../src/core/ablation/kind.ts';
import { commandStage } from '../../../../src/core/command/command-stage.ts';
import { z } from '../../../../src/core/ablation/define.ts';

const SHARE = { label: 'l', unit: 'fraction', better: 'higher', help: 'h' } as const;
const PROGRAM = '../../../toy/programs/trainer.mjs';
const base = {
  name: 'train',
  revision: 1,
  recipe: z.object({ rate: z.number(), steps: z.int(), milliseconds: z.number().default(0), trouble: z.string().default('none'), at: z.int().default(0) }),
  metrics: { accuracy: SHARE, accuracy_se: SHARE },
  command: [process.execPath, PROGRAM],
  sources: [PROGRAM],
  grace: 1,
};

let folder: string;
beforeEach(() => (folder = realpathSync(mkdtempSync(join(tmpdir(), 'command-')))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Seen {
  readonly records: MetricRecord[];
  readonly progress: Progress[];
  readonly log: string[];
  readonly facts: JsonObject;
}

interface Surroundings extends Partial<Pick<StageContext, 'signal' | 'upstream'>> {
  readonly kind?: StageKind;
  readonly onStep?: (step: number) => void;
}

let attempts = 0;

/** One attempt after the other: checkpoints stay. */
function attempt(
  recipe: JsonObject,
  { kind = commandStage(base), signal = new AbortController().signal, onStep, upstream = {} }: Surroundings = {},
): {
  seen: Seen;
  scratch: string;
  output: string;
  ended: Promise<StageResult>;
} {
  const seen: Seen = { records: [], progress: [], log: [], facts: {} };
  const number = ++attempts;
  const [output, scratch, kept] = [join(folder, `output-${number}`), join(folder, `scratch-${number}`), join(folder, 'kept')];
  mkdirSync(output);
  mkdirSync(kept, { recursive: true });
  const context: StageContext = {
    recipe: kind.recipe.parse({ rate: 1, steps: 10, ...recipe }),
    seed: 3,
    upstream,
    output,
    scratch,
    checkpoints: {
      latest: () => {
        const step = Math.max(-1, ...readdirSync(kept).map(Number));
        return Promise.resolve(step < 0 ? undefined : { step, dir: join(kept, String(step)) });
      },
      due: () => false,
      save: async (step, write) => {
        mkdirSync(join(kept, String(step)));
        await write(join(kept, String(step)));
      },
    },
    execution: { device: 'cpu', threads: 1, dataDir: folder, acceptEngineChange: false },
    metric: record => void seen.records.push(record),
    progress: progress => {
      seen.progress.push(progress);
      onStep?.(progress.step);
    },
    items: () => undefined,
    log: line => void seen.log.push(line),
    provenance: facts => void Object.assign(seen.facts, facts),
    signal,
  };
  return { seen, scratch, output, ended: kind.load().then(run => run(context)) };
}

const failure = async (recipe: JsonObject): Promise<{ code: unknown; message: string; permanent: boolean }> => {
  const error: unknown = await attempt(recipe).ended.then(
    () => new Error('no error'),
    (thrown: unknown) => thrown,
  );
  return { code: (error as { code?: unknown }).code, message: (error as Error).message, permanent: (error as Error).name === 'PermanentError' };
};

/** Processes that belong to an attempt. */
const processesOf = (scratch: string): string[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(scratch);
      } catch {
        return false;
      }
    });

describe('a program', () => {
  it('is told its recipe, and answers with metrics, a result and files', async () => {
    const { ended, seen, output } = attempt({ milliseconds: 30 });
    const { accuracy } = await ended;
    expect(seen.records).toHaveLength(10);
    expect(seen.records.at(-1)).toEqual({ step: 10, epoch: 1, value: (accuracy as number) * 20 });
    expect(Number(readFileSync(join(output, 'value'), 'utf8'))).toBe((accuracy as number) * 20);
    expect(seen.progress.at(-1)).toEqual({ phase: 'step', step: 10, steps: 10 });
    expect(seen.facts['program_peak_memory_bytes']).toBeGreaterThan(1e6);
  });

  it('gets recipe, seed and folders as flags and variables of its own where it is declared so, and no shell reads them', async () => {
    const print =
      "require('fs').writeFileSync(process.env.ABLATE_RESULT, JSON.stringify({ accuracy: 0, accuracy_se: 0 })); console.log(JSON.stringify([process.argv.slice(1), process.env.LR, process.env.FROM]))";
    const kind = commandStage({
      ...base,
      recipe: z.object({ rate: z.number(), steps: z.int(), note: z.string(), sizes: z.array(z.int()), model: z.object({ width: z.int() }) }),
      upstream: { start: { kinds: ['train'] } },
      command: [process.execPath, '-e', print, '--', '--lr={recipe.rate}', '--note', '{recipe.note}', '--sizes={recipe.sizes}', '{recipe.model.width}', '{seed}', '{"a":{}}'],
      environment: { LR: '{recipe.rate}', FROM: '{upstream.start}' },
    });
    const upstream = { start: { key: 'k', kind: 'train', recipe: {}, result: {}, output: '/upstream of it' } };
    const { ended, seen } = attempt({ note: '$(touch x) "; rm', sizes: [1, 2], model: { width: 7 } }, { kind, upstream });
    await ended;
    expect(JSON.parse(seen.log.find(line => line.startsWith('[['))!)).toEqual([['--lr=1', '--note', '$(touch x) "; rm', '--sizes=[1,2]', '7', '3', '{"a":{}}'], '1', '/upstream of it']);
  });

  it('has its versions recorded, and a command for them that fails is told and does no harm', async () => {
    const kind = commandStage({ ...base, versions: [[process.execPath, '--version'], ['no-such-program']] });
    const { ended, seen } = attempt({}, { kind });
    await ended;
    expect(seen.facts['versions']).toEqual([
      { command: [process.execPath, '--version'], lines: [process.version] },
      { command: ['no-such-program'], failed: true },
    ]);
    expect(seen.log.join('\n')).toContain('Warning: its versions are not recorded');
  });
});

describe('a program that breaks off', () => {
  it('goes on from its last whole checkpoint, and ends with the numbers of an undisturbed run', async () => {
    const undisturbed = await attempt({ steps: 20 }).ended;
    rmSync(join(folder, 'kept'), { recursive: true });
    await expect(attempt({ steps: 20, trouble: 'die-once', at: 12 }).ended).rejects.toMatchObject({ code: 'PROGRAM_FAILED' });
    expect(readdirSync(join(folder, 'kept'))).toContain('10');
    const { ended, seen } = attempt({ steps: 20, trouble: 'die-once', at: 12 });
    expect(await ended).toEqual(undisturbed);
    expect(seen.log).toContain('going on from step 10');
    expect(seen.records[0]!.step).toBe(11);
  });

  it('while it writes a checkpoint keeps the one before', async () => {
    await expect(attempt({ trouble: 'killed-writing', at: 7 }).ended).rejects.toMatchObject({ code: 'PROGRAM_KILLED' });
    const { ended, seen } = attempt({ trouble: 'killed-writing', at: 7 });
    await ended;
    expect(seen.log).toContain('going on from step 5');
  });

  it('on request writes a checkpoint, and says where it will go on', async () => {
    const stop = new AbortController();
    const { ended } = attempt({ steps: 1000, milliseconds: 5 }, { signal: stop.signal, onStep: step => step > 7 && stop.abort() });
    const error = await ended.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Interrupted);
    const [, step] = /^Stopped on request; the next run continues from its checkpoint of step (\d+)\.$/.exec((error as Error).message) ?? [];
    const { ended: again, seen } = attempt({ steps: Number(step) + 5 });
    await again;
    expect(seen.records.map(record => record.step)).toEqual([1, 2, 3, 4, 5].map(n => Number(step) + n));
  });

  it('not even on request is killed, with a sentence', async () => {
    const stop = new AbortController();
    const { ended, scratch } = attempt({ steps: 100_000, milliseconds: 5, trouble: 'deaf' }, { signal: stop.signal, onStep: step => step > 6 && stop.abort() });
    const error = (await ended.catch((thrown: unknown) => thrown)) as Error;
    expect(error).toBeInstanceOf(Interrupted);
    expect(error.message).toMatch(/^The program did not end within 1 s of SIGTERM and was killed; the next run continues from its checkpoint of step \d+\.$/);
    expect(processesOf(scratch)).toEqual([]);
  });
});

describe('a program that does not as it should', () => {
  it.each([
    ['nonsense', true, 'BAD_METRICS', "Metrics, line 5: expected a JSON object of numbers, got 'Epoch 3: loss is going down nicely'"],
    ['list', true, 'BAD_METRICS', "Metrics, line 5: expected a JSON object of numbers, got '[1, 2]'"],
    ['nan', true, 'NOT_FINITE', 'Metrics, line 5: loss: expected a finite number, got NaN'],
    ['text', true, 'BAD_METRICS', "Metrics, line 5: loss: expected a finite number, got 'low'"],
    ['no-epoch', true, 'BAD_METRICS', "Metrics, line 5: expected 'epoch', the place of loss on the axis of all curves, beside 'step', got none"],
    ['half-line', true, 'BAD_METRICS', `Metrics, line 5: expected a JSON object of numbers, got '{"step": 4, "epo'`],
    ['long-line', true, 'BAD_METRICS', 'Metrics, line 5: expected at most 65536 bytes, got a longer line'],
    ['rewrite', true, 'BAD_METRICS', 'Metrics: expected a file to which lines are appended, got one that was written anew; open it to append'],
    ['die', false, 'PROGRAM_FAILED', `Expected ${process.execPath} to end with exit code 0, got 3; its last words: ValueError: no such data`],
    ['memory', false, 'OUT_OF_MEMORY', `Expected ${process.execPath} to end with exit code 0, got 1; its last words: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB`],
    ['killed', false, 'PROGRAM_KILLED', `Expected ${process.execPath} to end by itself, got SIGKILL from somebody else; it printed no error`],
    ['no-result', true, 'NO_RESULT', 'Expected a result in the file that ABLATE_RESULT names, got none: the program ended without an error, and wrote nothing there'],
    ['result-nonsense', true, 'BAD_RESULT', "Result: expected a JSON object of numbers, got 'accuracy: high'"],
    ['result-nan', true, 'NOT_FINITE', 'Result: accuracy: expected a finite number, got NaN'],
    ['result-missing', true, 'BAD_RESULT', 'Result: expected the numbers accuracy, accuracy_se, got others: accuracy_se is missing'],
    ['result-more', true, 'BAD_RESULT', "Result: expected the numbers accuracy, accuracy_se, got others: acuracy is not declared; did you mean 'accuracy'?"],
    ['result-percent', true, 'BAD_RESULT', 'Result: accuracy: expected a fraction from 0 to 1, got 50; divide a percentage by 100'],
    ['twins', true, 'BAD_CHECKPOINT', 'Checkpoints: expected one file or folder for each step, got another one of step 1 (1.json); put the files of a step into a folder 1'],
  ])('(%s) is told in a sentence', async (trouble, permanent, code, message) => {
    // Slow enough that the file that it writes anew is looked at before more is in it.
    const steps = trouble === 'rewrite' ? { steps: 30, milliseconds: 300 } : { steps: 30, milliseconds: 1 };
    expect(await failure({ ...steps, trouble, at: 4 })).toEqual({ code, message, permanent });
  });

  it('(a gigabyte without a newline) has the beginning of it in its log, and never more in memory', async () => {
    const before = process.memoryUsage().rss;
    const { ended, seen } = attempt({ trouble: 'long-print', at: 4 });
    await ended;
    expect(seen.log.find(line => line.startsWith('xxx'))).toMatch(/^x+… \(a line of 1073741824 bytes\)$/);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  });

  it('(much printed) has the beginning and the end of it in its log', async () => {
    const { ended, seen } = attempt({ trouble: 'much-print', at: 4 });
    await ended;
    expect(seen.log.join('\n').length).toBeLessThan(700_000);
    expect(seen.log.join('\n')).toMatch(/\(\d{5,} lines of the program are left out here\)/);
  });

  it('(children left behind) has them ended, and named', async () => {
    const { ended, seen, scratch } = attempt({ trouble: 'children', at: 4 });
    await ended;
    expect(seen.log.at(-1)).toMatch(/^Warning: the program ended and left behind sleep \(process \d+\), sleep \(process \d+\), which was ended\.$/);
    expect(processesOf(scratch)).toEqual([]);
  });

  it('(not there) is told as what it is', async () => {
    const { ended } = attempt({}, { kind: commandStage({ ...base, command: ['no-such-python', 'x.py'] }) });
    await expect(ended).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      message: "Expected the program no-such-python on the PATH, got none; install it, or name another as the first word of the stage's command",
    });
    expect(existsSync(folder)).toBe(true);
  });
});
