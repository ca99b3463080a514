/** `ablate doctor`: what is there, what is missing, and the command that mends it. */
import type { Command } from '@commander-js/extra-typings';
import { pathOf } from '../options/paths.ts';
import type { Check, Diagnosis, State } from '../../setup/diagnosis.ts';
import { harmlessJson } from '../../core/text/clean.ts';
import { diagnose } from '../../setup/doctor.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';

const defineDoctor = (program: Command) =>
  program
    .command('doctor')
    .description('check engine, device, data and disk, and train a toy step; says how to mend what is missing')
    .option('--json', 'as JSON, for scripts; fields are described in src/setup/diagnosis.ts')
    .option('--deep', 'read every byte of the native library too')
    .option('--store <folder>', 'where runs are kept', pathOf('--store'), 'runs')
    .addHelpText('after', '\nExit code 0: everything that a sweep needs works. 1: something is missing. 2: bad use.');

export function registerDoctor(program: Command): void {
  defineDoctor(program).action(async ({ json, store, deep }) => {
    const diagnosis = await diagnose({ store, deep: deep ?? false });
    print(`${json ? harmlessJson(JSON.stringify(diagnosis, null, 2)) : diagnosisText(diagnosis)}\n`);
    if (!diagnosis.ok) process.exitCode = 1;
  });
}

const WORD: Readonly<Record<State, (text: string) => string>> = { ok: pc.green, missing: pc.red, optional: pc.yellow };
const STATE_WIDTH = Math.max(...Object.keys(WORD).map(word => word.length));

/** One line a check, `state  name  what was found`, and below it the command that mends it. */
export function diagnosisText({ ok, checks }: Pick<Diagnosis, 'ok' | 'checks'>): string {
  const nameWidth = Math.max(...checks.map(check => check.name.length));
  const indent = ' '.repeat(2 + STATE_WIDTH + 2 + nameWidth + 2);
  const lines = (check: Check): string[] => [
    `  ${WORD[check.state](check.state.padEnd(STATE_WIDTH))}  ${pc.bold(check.name.padEnd(nameWidth))}  ${check.text.replaceAll('\n', `\n${indent}`)}`,
    ...(check.mend === undefined ? [] : [`${indent}${pc.dim('mend it:')} ${pc.cyan(check.mend)}`]),
  ];
  const missing = checks.filter(check => check.state === 'missing').map(check => check.name);
  const verdict = ok ? pc.green('Ready to sweep.') : pc.red(`Not ready to sweep: ${missing.join('; ')}.`);
  return [...checks.flatMap(lines), '', verdict].join('\n');
}
