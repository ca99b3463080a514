/** `ablate logs`: what an attempt at a stage printed. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '@commander-js/extra-typings';
import { UsageError } from '../../core/ablation/errors.ts';
import { signalExitCode } from '../../core/runner/signals.ts';
import { unlessDamaged } from '../../core/store/errors.ts';
import { openStoreReadOnly } from '../../core/store/store.ts';
import { requireFileAt } from '../../core/store/read.ts';
import type { StoreReader } from '../../core/store/reader.ts';
import { findArm } from '../../core/inspect/arm.ts';
import { stageByPrefix } from '../../core/inspect/stage.ts';
import { choose, withSelection, type OptionsOf } from '../options/selection.ts';
import { listed } from '../../core/text/format.ts';
import { warn } from '../terminal/text.ts';
import { pc } from '../terminal/colours.ts';
import { isUnread, note, print } from '../terminal/output.ts';

type LogOptions = OptionsOf<typeof defineLogs>;

const defineLogs = (program: Command) =>
  withSelection(program.command('logs').description('print the log of a stage, given by the start of its key, or of an arm').argument('<stage>', 'start of a key as status prints it, or ablation/arm'))
    .option('--attempt <n>', 'an earlier attempt (default: the one that counts, else the newest)')
    .option('--role <role>', 'of an arm: the stage in this role (default: one that failed or runs, else the last one attempted)')
    .option('--follow', 'go on printing until the attempt has ended')
    .option('--path', 'print where the log is and nothing else');

export function registerLogs(program: Command): void {
  defineLogs(program).action(async (stage, options) => {
    const store = openStoreReadOnly(options.store, { warn });
    const key = stage.includes('/') ? await stageOfArm(store, stage, options) : stageByPrefix(store, stage);
    const attempt = attemptOf(store, key, options.attempt);
    const file = store.logFile(key, attempt);
    if (options.path === true) {
      print(`${file}\n`);
      return;
    }
    note(pc.dim(`${labelOf(store, key)}, attempt ${attempt}: ${file}\n`));
    if (!(await printLog(file, () => options.follow === true && runs(store, key, attempt)))) process.exitCode = signalExitCode('SIGPIPE');
    if (!existsSync(file)) note(pc.dim('It has printed nothing.\n'));
  });
}

async function stageOfArm(store: StoreReader, name: string, options: LogOptions): Promise<string> {
  const { replicates } = findArm(await choose(options), name);
  const stages = replicates.flatMap(replicate => Object.entries(replicate.stages).map(([role, key]) => ({ role, key })));
  const roles = [...new Set(stages.map(({ role }) => role))];
  if (options.role !== undefined && !roles.includes(options.role)) {
    throw new UsageError('UNKNOWN_ROLE', `Expected a role of ${name} (${listed(roles)}), got '${options.role}'`);
  }
  const attempted = stages.filter(({ role, key }) => (options.role === undefined || role === options.role) && store.attempts(key).length > 0).map(({ key }) => key);
  const ofInterest = attempted.find(key => ['failed', 'running', 'interrupted'].includes(store.state(key).state)) ?? attempted.at(-1);
  if (ofInterest === undefined) throw new UsageError('NOT_ATTEMPTED', `Expected a stage of ${name} that was attempted, got none in ${store.dir}; run ablate sweep --only ${name}`);
  return ofInterest;
}

/** @throws UsageError when the stage has no such attempt */
function attemptOf(store: StoreReader, key: string, asked: string | undefined): number {
  const attempts = store.attempts(key);
  const attempt = asked === undefined ? (store.doneAttempt(key) ?? attempts.at(-1)) : Number(asked);
  if (attempt === undefined || !attempts.includes(attempt)) {
    throw new UsageError('UNKNOWN_ATTEMPT', `Expected an attempt of stage ${key} (${attempts.length === 0 ? 'it has none yet' : listed(attempts.map(String))}), got ${asked ?? 'none'}`);
  }
  return attempt;
}

/** The log of a damaged stage is the one that is looked for. */
function labelOf(store: StoreReader, key: string): string {
  return unlessDamaged(() => store.stage(key))?.label ?? key;
}

function runs(store: StoreReader, key: string, attempt: number): boolean {
  const state = store.state(key);
  return state.state === 'running' && state.attempt === attempt;
}

const POLL_MS = 200;

/** Prints the file, and what is added to it for as long as `goesOn`. @returns false where the reader left before the end */
async function printLog(file: string, goesOn: () => boolean): Promise<boolean> {
  const decoder = new TextDecoder();
  let at = 0;
  requireFileAt(file);
  for (;;) {
    const more = goesOn(); // asked first: what was written before the end is still printed
    const size = existsSync(file) ? statSync(file).size : 0;
    if (size > at) {
      for await (const bytes of createReadStream(file, { start: at, end: size - 1 })) {
        print(decoder.decode(bytes as Buffer, { stream: true }));
        await nextTurn(); // for the word that nobody reads any more
        if (isUnread()) return false;
      }
      at = size;
    }
    if (!more) return true;
    await sleep(POLL_MS);
  }
}
