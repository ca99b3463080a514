/** What a person sees of a running sweep: updated in place on a terminal, else one line now and then. */
import type { Progress, StageResult } from '../../core/ablation/kind.ts';
import { packLabel, type Plan } from '../../core/plan/plan.ts';
import type { RunCounts, RunEvent, StageFailure } from '../../core/runner/events.ts';
import { silenceText } from '../../core/runner/silence.ts';
import { Eta } from '../../core/inspect/eta.ts';
import { plural } from '../../core/text/format.ts';
import { duration, textTable } from './text.ts';
import { furthestBehind, leftText, paceText, phaseText, placeText, waitingText } from './worker-row.ts';
import { pc } from './colours.ts';
import { withoutFrames } from './faults.ts';
import { isLive, live } from './live.ts';
import { print } from './output.ts';

export interface Display {
  event(event: RunEvent): void;
  /** A line that stays. */
  say(line: string): void;
  /** What waits in a cluster's queue, and what is wrong there; replaces what was told before. */
  queue(lines: readonly string[]): void;
  close(): void;
}

interface Running {
  readonly place: string;
  /** Where it has those of idle workers as well. */
  readonly threads: number | undefined;
  readonly label: string;
  /** Keys of the stages that its worker runs side by side. */
  readonly pack: readonly string[];
  readonly since: number;
  /** Where the attempt began and when: a resumed stage does not begin at 0. */
  first?: { readonly step: number; readonly time: number };
  progress?: Progress;
  /** It has said nothing for long. */
  stalled?: boolean;
}

const FRAME_MS = 250;
const LINE_MS = 30_000;
const BAR = 24;

export function createDisplay(plan: Plan, done: Iterable<string>, workers: number, canRedraw = isLive()): Display {
  return canRedraw ? new LiveDisplay(plan, done, workers) : new LineDisplay(plan, done, workers);
}

/** Follows the events; how it is shown is up to the two displays. */
abstract class SweepDisplay implements Display {
  protected readonly running = new Map<string, Running>();
  protected counts: RunCounts | undefined;
  protected queued: readonly string[] = [];
  protected readonly began = performance.now();
  /** Those that were said, each of one stage. */
  private readonly doubts = new Set<string>();
  private readonly eta: Eta;

  private readonly plan: Plan;

  constructor(plan: Plan, done: Iterable<string>, workers: number) {
    this.plan = plan;
    this.eta = new Eta(plan, done, workers);
  }

  abstract say(line: string): void;
  abstract close(): void;

  queue(lines: readonly string[]): void {
    this.queued = lines;
  }

  event(event: RunEvent): void {
    this.counts = event.counts;
    switch (event.type) {
      case 'started':
        this.running.set(event.key, { place: event.place, threads: event.threads, label: event.label, pack: event.pack, since: performance.now() });
        if (event.key === event.pack.at(-1)) this.started(event.key, event.attempt);
        break;
      case 'progress':
        this.progressed(event.key, event.progress);
        break;
      case 'stalled':
        this.stalled(event);
        break;
      case 'finished':
        this.eta.finish(event.key, event.workerSeconds, this.shareOfAttempt(event.key));
        this.running.delete(event.key);
        this.say(`${pc.green('done')}    ${event.label}  ${pc.dim(`${duration(event.seconds)}${resultText(event.result)}`)}`);
        break;
      case 'retry':
        this.running.delete(event.failure.key);
        this.say(`${pc.yellow('retry')}   ${failureText(event.failure)}${event.microBatches > 1 ? `\n          next with ${event.microBatches} times as many micro-batches` : ''}`);
        break;
      case 'failed':
        this.running.delete(event.failure.key);
        this.say(`${pc.red('failed')}  ${failureText(event.failure)}`);
        break;
      case 'blocked':
        this.say(`${pc.red('blocked')} ${event.label}  ${pc.dim('something it needs failed')}`);
        break;
      case 'interrupted':
        this.running.delete(event.key);
        this.say(`${pc.yellow('stopped')} ${event.label}`);
        break;
      case 'waiting':
        this.say(`${pc.yellow('waiting')} ${event.label}  ${pc.dim(`process ${event.owner.pid} on ${event.owner.host} works on it`)}`);
        break;
      case 'reused':
        this.say(`${pc.green('reused')}  ${event.label}`);
        break;
      case 'begin':
        break;
    }
  }

  /** A stage, or the last of a pack, has started; a live display shows that among the workers. */
  protected abstract started(key: string, attempt: number): void;

  protected headline(): string {
    const { total = 0, done = 0, reused = 0, failed = 0, blocked = 0 } = this.counts ?? {};
    const finished = done + reused;
    const seconds = this.eta.secondsLeft();
    const parts = [
      `${finished} of ${plural(total, 'stage')} done`,
      ...(failed + blocked > 0 ? [pc.red(`${failed} failed, ${blocked} blocked`)] : []),
      `${duration((performance.now() - this.began) / 1000)} so far`,
      ...(seconds === undefined ? [] : [`about ${duration(seconds)} left`]),
    ];
    return parts.join(', ');
  }

  /** One a worker. */
  protected workerRows(): string[][] {
    const byPlace = new Map<string, Running[]>();
    for (const running of this.running.values()) byPlace.set(running.place, [...(byPlace.get(running.place) ?? []), running]);
    const workers = [...byPlace.values()].map(members => furthestBehind(members, member => member.progress));
    return workers
      .sort((a, b) => a.place.localeCompare(b.place))
      .map(running => {
        const { pack, progress, first, stalled } = running;
        const { phase = 'load', step = 0, steps = 0, imagesPerSecond, waiting, loss } = progress ?? {};
        const secondsLeft = first && step > first.step ? (((performance.now() - first.time) / (step - first.step)) * (steps - step)) / 1000 : undefined;
        return [
          pc.cyan(placeText(running)),
          this.label(running),
          stalled === true ? pc.yellow('stalled') : phaseText({ phase, step, steps }),
          paceText({ imagesPerSecond }),
          waitingText({ waiting }),
          loss === undefined || pack.length > 1 ? '' : `loss ${loss.toPrecision(4)}`,
          leftText({ secondsLeft }),
        ];
      });
  }

  protected label({ pack, label }: Running): string {
    return pack.length > 1 ? packLabel(pack.map(key => this.plan.stages.get(key)!)) : label;
  }

  private progressed(key: string, progress: Progress): void {
    const running = this.running.get(key);
    if (running === undefined) return;
    if (progress.phase === 'step') running.first ??= { step: progress.step, time: performance.now() };
    // Evaluations and checkpoints carry no rate: keep showing the last.
    const { doubt, ...seen } = progress;
    running.progress = { ...running.progress, ...seen };
    running.stalled = false;
    if (progress.steps > 0) this.eta.progress(key, progress.step / progress.steps);
    if (doubt === undefined || this.doubts.has(`${key} ${doubt}`)) return;
    this.doubts.add(`${key} ${doubt}`);
    this.say(`${pc.yellow('doubtful')} ${running.label}  ${pc.dim(doubt)}`);
  }

  private stalled({ key, label, ...spell }: RunEvent & { readonly type: 'stalled' }): void {
    const running = this.running.get(key);
    if (running === undefined) return;
    running.stalled = true;
    this.say(`${pc.yellow('stalled')} ${label}  ${pc.dim(silenceText(spell))}`);
  }

  private shareOfAttempt(key: string): number {
    const { first, progress } = this.running.get(key) ?? {};
    return first && progress && progress.steps > 0 ? Math.max(0.01, 1 - first.step / progress.steps) : 1;
  }
}

class LiveDisplay extends SweepDisplay {
  private readonly timer = setInterval(() => this.draw(), FRAME_MS).unref();

  override say(line: string): void {
    live.clear();
    print(`${line}\n`);
    this.draw();
  }

  protected override started(): void {
    this.draw();
  }

  override close(): void {
    clearInterval(this.timer);
    live.clear();
    live.done();
  }

  private draw(): void {
    if (this.counts === undefined) return;
    const { total, done, reused } = this.counts;
    const filled = total === 0 ? 0 : Math.round((BAR * (done + reused)) / total);
    const bar = pc.green('━'.repeat(filled)) + pc.dim('━'.repeat(BAR - filled));
    const rows = this.workerRows();
    live.show(['', `  ${bar}  ${this.headline()}`, ...(rows.length > 0 ? [textTable(rows, [0, 1])] : []), ...this.queued.map(line => `  ${pc.dim(line)}`)].join('\n'));
  }
}

class LineDisplay extends SweepDisplay {
  private readonly timer = setInterval(() => this.line(), LINE_MS).unref();

  override say(line: string): void {
    print(`${line}\n`);
  }

  override close(): void {
    clearInterval(this.timer);
  }

  protected override started(key: string, attempt: number): void {
    const running = this.running.get(key)!;
    this.say(`started ${this.label(running)}  on ${placeText(running)}${attempt > 1 ? `, attempt ${attempt}` : ''}`);
  }

  private line(): void {
    if (this.counts === undefined) return;
    const rows = this.workerRows().map(row => row.filter(cell => cell !== '').join(' '));
    this.say([this.headline(), ...rows, ...this.queued.map(line => line.trim().replace(/ {2,}/, ' '))].join('; '));
  }
}

/** The first few numbers of a result. */
function resultText(result: StageResult): string {
  const shown = Object.entries(result)
    .flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${Number(value.toPrecision(4))}`] : []))
    .slice(0, 3);
  return shown.length > 0 ? `  ${shown.join(', ')}` : '';
}

function failureText({ label, code, reason, logTail, log }: StageFailure): string {
  const lines = [`${label}: ${reason} ${pc.dim(`(${code})`)}`];
  if (logTail !== '')
    lines.push(
      pc.dim(
        withoutFrames(logTail)
          .split('\n')
          .map(line => `          | ${line}`)
          .join('\n'),
      ),
    );
  if (log !== undefined) lines.push(pc.dim(`          log: ${log}`));
  return lines.join('\n');
}
