import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { jobScript, memoryBytes, sbatchWords } from '../../../../src/core/slurm/request.ts';

const request = { name: 'ablate-1-1-1', log: '/store/jobs/a/log.txt', folder: '/study' };

test('a job is asked for with what was said and nothing else', () => {
  expect(sbatchWords({}, request)).toEqual([
    '--job-name=ablate-1-1-1',
    '--output=/store/jobs/a/log.txt',
    '--open-mode=append',
    '--requeue',
    '--signal=B:USR2@120',
    '--chdir=/study',
    '--nodes=1',
    '--ntasks=1',
  ]);
  const all = { partition: 'p', account: 'a', qos: 'q', time: '1:00:00', gpus: 2, cpus: 4, constraint: 'a100|h100', words: ['--exclude=n7', '--mem=5G'] };
  expect(sbatchWords(all, { ...request, memory: 3 * 2 ** 30 + 1, seconds: 61 }).slice(8)).toEqual([
    '--partition=p',
    '--account=a',
    '--qos=q',
    '--constraint=a100|h100',
    '--time=1:00:00',
    '--gres=gpu:2',
    '--cpus-per-task=4',
    '--mem=3073M',
    '--exclude=n7',
    '--mem=5G', // what a person says comes last, and counts
  ]);
  expect(sbatchWords({}, { ...request, seconds: 61 })).toContain('--time=2');
  expect(sbatchWords({ gpus: 0 }, request).join()).not.toContain('gres');
});

test('a path is that path, whatever Slurm means by % in one', () => {
  expect(sbatchWords({}, { ...request, log: '/a 100% run/%j/log.txt' })).toContain('--output=/a 100%% run/%%j/log.txt');
});

test('the script hands every word on as it is, after the lines of the prologue', () => {
  const words = ['/usr/bin/printf', '[%s]\n', 'plain', "it's", 'a b', '$HOME', '`id`', '"', '\\', '*', '{"slurm":{"words":["--exclude=\'n 1\'"]}}', '', 'é', '!x', '-n', 'a\nb'];
  const script = jobScript(['echo first', 'export SECOND="2 3"'], words);
  expect(script.split('\n').slice(0, 3)).toEqual(['#!/bin/bash', 'echo first', 'export SECOND="2 3"']);
  expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe(
    `first\n${words
      .slice(2)
      .map(word => `[${word}]\n`)
      .join('')}`,
  );
});

test('sizes as sbatch has them', () => {
  expect(['5', '5K', '5M', '5G', '5T'].map(memoryBytes)).toEqual([5 * 2 ** 20, 5 * 2 ** 10, 5 * 2 ** 20, 5 * 2 ** 30, 5 * 2 ** 40]);
});
