import { closeSync, existsSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WorkerOutput } from '../../../../src/core/store/worker-output.ts';
import { begin, key, storeWithStage } from '../../../toy/store.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

describe('the output of a worker', () => {
  const write = (output: WorkerOutput, text: string): void => {
    const fd = output.open();
    writeSync(fd, text);
    closeSync(fd);
  };

  it('is a file of its own, whose newer part can be read', () => {
    const store = temporaryFolder('output');
    const [a, b] = [new WorkerOutput(store, 'cpu:0'), new WorkerOutput(store, 'cpu:0')];
    expect(a.path).not.toBe(b.path);
    expect(a.since(0)).toBe('');
    write(a, 'of the first job\n');
    const mark = a.size();
    expect(a.since(mark)).toBe('');
    write(a, 'of the second job\n');
    expect(a.since(mark)).toBe('of the second job');
    a.remove();
    expect(existsSync(a.path)).toBe(false);
    expect(a.size()).toBe(0);
  });

  it('is shown from its end when it is long', () => {
    const output = new WorkerOutput(temporaryFolder('output'), 'gpu:1');
    write(output, 'x'.repeat(100_000) + 'the end');
    expect(output.since(0)).toHaveLength(65_536);
    expect(output.since(0).endsWith('the end')).toBe(true);
    expect(readdirSync(join(output.path, '..'))).toEqual([expect.stringMatching(/^gpu-1-[0-9a-f]{8}~\S+_\d+\.txt$/)]);
  });
});

describe('the log of an attempt', () => {
  it('has a line for each word, with the time, and goes on after it was closed', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    attempt.log('one');
    attempt.close();
    attempt.log('two\nlines');
    attempt.close();
    const lines = readFileSync(store.logFile(key, 1), 'utf8').trimEnd().split('\n');
    expect(lines).toEqual([expect.stringMatching(/^\d{4}-\S+Z one$/), expect.stringMatching(/^\d{4}-\S+Z two$/), 'lines']);
  });
});
