/** Runs a stage that is a program: starts it, records what it says while it runs, stops it, and takes what it leaves. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AblateError, Interrupted, PermanentError } from '../ablation/errors.ts';
import type { StageContext, StageResult, StageRunner } from '../ablation/kind.ts';
import { kernelKills, OUT_OF_MEMORY, saysOutOfMemory } from '../runner/out-of-memory.ts';
import type { Command } from './command.ts';
import { CheckpointFolder } from './checkpoint-folder.ts';
import { MetricFile } from './metric-file.ts';
import { OutputLog } from './output-log.ts';
import { RunningProgram, type ProgramEnd, type Start } from './program.ts';
import { readResult } from './result-file.ts';
import { toldTo, type ProgramPaths } from './told.ts';
import { recordVersions } from './versions.ts';

const LOOK_MS = 100;

export function commandRunner<R extends object>(command: Command): StageRunner<R> {
  return context => runCommand(command, context as unknown as StageContext);
}

async function runCommand(command: Command, context: StageContext): Promise<StageResult> {
  const { scratch } = context;
  const checkpoints = new CheckpointFolder(join(scratch, 'checkpoints'), context.checkpoints);
  const resume = await checkpoints.open();
  const paths: ProgramPaths = {
    recipe: join(scratch, 'recipe.json'),
    metrics: join(scratch, 'metrics.jsonl'),
    result: join(scratch, 'result.json'),
    checkpoints: checkpoints.path,
    ...(resume !== undefined && { resume }),
  };
  await writeFile(paths.recipe, `${JSON.stringify(context.recipe, null, 2)}\n`);
  const { words, environment } = toldTo(command.command, command.environment, context, paths);
  context.log(`Starting ${words.map(word => JSON.stringify(word)).join(' ')}${resume === undefined ? '' : `, from its checkpoint of step ${checkpoints.step}`}.`);
  const failed = new AbortController();
  const versions = recordVersions(command, context, AbortSignal.any([context.signal, failed.signal]));
  try {
    await new Run({ words, folder: command.folder, environment }, paths, checkpoints, command.graceMs, context).toItsEnd();
    return readResult(paths.result, command.metrics);
  } catch (error) {
    failed.abort();
    throw error;
  } finally {
    await versions;
  }
}

class Run {
  readonly #name: string;
  readonly #result: string;
  readonly #metrics: MetricFile;
  readonly #checkpoints: CheckpointFolder;
  readonly #graceMs: number;
  readonly #context: StageContext;
  readonly #output: OutputLog;
  readonly #program: RunningProgram;
  readonly #kills = kernelKills();
  #forced = false;

  constructor(start: Start, paths: ProgramPaths, checkpoints: CheckpointFolder, graceMs: number, context: StageContext) {
    this.#name = start.words[0]!;
    this.#result = paths.result;
    this.#metrics = new MetricFile(paths.metrics, context);
    this.#checkpoints = checkpoints;
    this.#graceMs = graceMs;
    this.#context = context;
    this.#output = new OutputLog(line => context.log(line));
    this.#program = new RunningProgram(start, context.scratch, this.#output);
  }

  /** @throws Interrupted when it was asked to stop and did; PermanentError and AblateError where it did not end well */
  async toItsEnd(): Promise<void> {
    const { signal } = this.#context;
    const timers: NodeJS.Timeout[] = [];
    const onStop = (): void => {
      this.#program.askToStop();
      timers.push(setTimeout(() => this.#force(), this.#graceMs));
    };
    if (signal.aborted) onStop();
    else signal.addEventListener('abort', onStop);
    let end: ProgramEnd;
    try {
      end = await this.#watched();
    } catch (error) {
      this.#program.kill();
      throw error;
    } finally {
      signal.removeEventListener('abort', onStop);
      timers.forEach(clearTimeout);
      await this.#close();
    }
    this.#judge(end);
  }

  #force(): void {
    this.#forced = true;
    this.#program.kill();
  }

  /** Takes what it writes until it has ended, and what it has left then. */
  async #watched(): Promise<ProgramEnd> {
    for (;;) {
      const end = await Promise.race([this.#program.ended, sleep(LOOK_MS)]);
      this.#program.look();
      await this.#take(end ?? undefined);
      if (end) return end;
    }
  }

  /** A line that a killed program could not finish is none. */
  async #take(end: ProgramEnd | undefined): Promise<void> {
    this.#metrics.take(end?.exitCode !== undefined);
    await this.#checkpoints.take(() => this.#metrics.take());
  }

  async #close(): Promise<void> {
    const left = await this.#program.close();
    this.#output.close();
    if (left.length > 0) this.#context.log(`Warning: the program ended and left behind ${left.join(', ')}, which was ended.`);
    if (this.#program.peakMemory > 0) this.#context.provenance({ program_peak_memory_bytes: this.#program.peakMemory });
  }

  #judge({ exitCode, signal, unstarted }: ProgramEnd): void {
    const program = this.#name;
    if (unstarted !== undefined) throw notStarted(program, unstarted);
    const { aborted } = this.#context.signal;
    if (exitCode === 0 && !(aborted && !existsSync(this.#result))) return;
    if (aborted) throw new Interrupted(this.#stoppedText());
    const memory = this.#output.lastWords.findLast(saysOutOfMemory);
    const words = memory ?? this.#output.lastWords.at(-1);
    const said = words === undefined ? 'it printed no error' : `its last words: ${words}`;
    if (exitCode !== undefined) throw new AblateError(memory === undefined ? 'PROGRAM_FAILED' : OUT_OF_MEMORY, `Expected ${program} to end with exit code 0, got ${exitCode}; ${said}`);
    const kills = kernelKills();
    if (signal === 'SIGKILL' && kills !== undefined && kills > (this.#kills ?? kills)) throw new AblateError(OUT_OF_MEMORY, `memory ran out: the system ended ${program}; ${said}`);
    throw new AblateError('PROGRAM_KILLED', `Expected ${program} to end by itself, got ${signal} from somebody else; ${said}`);
  }

  #stoppedText(): string {
    const { step } = this.#checkpoints;
    const next = step === undefined ? 'it has left no checkpoint, so the next run begins anew' : `the next run continues from its checkpoint of step ${step}`;
    return this.#forced ? `The program did not end within ${this.#graceMs / 1e3} s of SIGTERM and was killed; ${next}.` : `Stopped on request; ${next}.`;
  }
}

function notStarted(program: string, { code, text }: { readonly code: string; readonly text: string }): PermanentError {
  if (code === 'ENOENT') return new PermanentError('PROGRAM_MISSING', `Expected the program ${program} on the PATH, got none; install it, or name another as the first word of the stage's command`);
  return new PermanentError('PROGRAM_MISSING', `Expected to be able to start ${program}, got: ${text}`);
}
