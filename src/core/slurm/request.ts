/** How a job is asked for: the words of `sbatch`, and the script that becomes a worker. */
import type { SlurmOptions } from '../ablation/slurm.ts';

/** A worker is warned so many seconds before its time is over: to finish a step, write a checkpoint and leave. Slurm looks at times twice a minute. */
const WARNING_SECONDS = 120;

export interface JobRequest {
  readonly name: string;
  /** Bytes; absent: as the partition has it. */
  readonly memory?: number;
  /** Absent: as the partition has it. */
  readonly seconds?: number;
  /** Where its processes print. */
  readonly log: string;
  /** Folder from which it starts. */
  readonly folder: string;
}

const MEBI = 2 ** 20;

/** @param options what a person said; it goes before what was estimated */
export function sbatchWords(options: SlurmOptions, { name, memory, seconds, log, folder }: JobRequest): string[] {
  const { partition, account, qos, time, gpus = 0, cpus, constraint, words = [] } = options;
  const limit = time ?? (seconds === undefined ? undefined : String(Math.ceil(seconds / 60)));
  return [
    `--job-name=${name}`,
    `--output=${log.replaceAll('%', '%%')}`,
    '--open-mode=append',
    '--requeue',
    `--signal=B:USR2@${WARNING_SECONDS}`,
    `--chdir=${folder}`,
    '--nodes=1',
    '--ntasks=1',
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(qos === undefined ? [] : [`--qos=${qos}`]),
    ...(constraint === undefined ? [] : [`--constraint=${constraint}`]),
    ...(limit === undefined ? [] : [`--time=${limit}`]),
    ...(gpus === 0 ? [] : [`--gres=gpu:${gpus}`]),
    ...(cpus === undefined ? [] : [`--cpus-per-task=${cpus}`]),
    ...(memory === undefined ? [] : [`--mem=${Math.ceil(memory / MEBI)}M`]),
    ...words,
  ];
}

/** The worker takes the place of the shell, so that Slurm's signals reach it. @param command words that start it */
export function jobScript(prologue: readonly string[], command: readonly string[]): string {
  return ['#!/bin/bash', ...prologue, `exec ${command.map(shellWord).join(' ')}`, ''].join('\n');
}

const shellWord = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);

const UNIT = { '': MEBI, K: 2 ** 10, M: MEBI, G: 2 ** 30, T: 2 ** 40 };

/** Bytes that `sbatch --mem` understands by a size: `16G`, or megabytes. */
export function memoryBytes(size: string): number {
  const [, number, unit = ''] = /^(\d+)([KMGT]?)$/.exec(size)!;
  return Number(number) * UNIT[unit as keyof typeof UNIT];
}
