/** `ablate status --watch`: looks again and again until the sweep has ended. */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalExitCode } from '../../core/runner/signals.ts';
import { stageLabel } from '../../core/plan/plan.ts';
import type { StageSnapshot } from '../../core/inspect/snapshot.ts';
import { COLOUR, headline, NO_JOBS, screenText, displayStateOf, statusJson, statusText, type DisplayState, type StatusView } from './status-view.ts';
import { outstanding } from '../../core/inspect/time-left.ts';
import { pc } from './colours.ts';
import { isLive, live } from './live.ts';
import { isUnread, print } from './output.ts';
import { placeText } from './worker-row.ts';

const EVERY_MS = 1_000;
/** How long a sweep may take to begin. Also how long one of another host may have no stage at work: of its runner nothing else is seen. */
const APPEARS_MS = 15_000;
const LINE_MS = 30_000;

/** @returns the exit code: 0 when all is done, 1 when the sweep ended before, or none began, 141 when nobody watches any more */
export async function watch(viewer: { view(): Promise<StatusView> }, asJson: boolean): Promise<number> {
  const out = asJson ? new JsonLines() : isLive() ? new Screen() : new Lines();
  let seen = performance.now();
  let patience = APPEARS_MS;
  try {
    for (;;) {
      const view = await viewer.view();
      out.show(view);
      if (outstanding(view.plan, view.snapshot).toRun.length === 0) return 0;
      if (isAtWork(view)) {
        seen = performance.now();
        patience = view.snapshot.runners.every(({ host }) => host === hostname()) ? 0 : APPEARS_MS;
      } else if (performance.now() - seen > patience) return 1;
      await sleep(EVERY_MS);
      if (isUnread()) return signalExitCode('SIGPIPE');
    }
  } finally {
    out.close();
  }
}

/** A runner that lives, a worker that outlives its runner for a moment, or a job that waits. */
const isAtWork = ({ snapshot: { runners, stages }, jobs: { jobs } = NO_JOBS }: StatusView): boolean => runners.length > 0 || jobs.length > 0 || stages.some(s => s.state.state === 'running');

/** Drawn in place; the last view stays, with all its details. */
class Screen {
  #last: StatusView | undefined;

  show(view: StatusView): void {
    this.#last = view;
    live.show(screenText(view));
  }

  close(): void {
    live.clear();
    live.done();
    if (this.#last) print(`${statusText(this.#last)}\n`);
  }
}

/** A line for each stage that changed, and now and then how far it all is. */
class Lines {
  readonly #shown = new Map<string, string>();
  #last: StatusView | undefined;
  #lined = -Infinity;

  show(view: StatusView): void {
    const first = this.#last === undefined;
    for (const snapshot of view.snapshot.stages) {
      const shown = displayStateOf(snapshot);
      const name = `${shown} ${'attempt' in snapshot.state ? snapshot.state.attempt : ''}`;
      // Of what was so before we came, only what goes on or needs a look.
      const isNew = first ? shown !== 'done' && shown !== 'left' : this.#shown.get(snapshot.stage.key) !== name;
      this.#shown.set(snapshot.stage.key, name);
      if (isNew) print(`${changeText(snapshot, shown)}\n`);
    }
    this.#last = view;
    if (performance.now() - this.#lined < LINE_MS) return;
    this.#lined = performance.now();
    print(`${headline(view)}\n`);
  }

  close(): void {
    if (this.#last) print(`\n${statusText(this.#last)}\n`);
  }
}

function changeText({ stage, state, log, progress }: StageSnapshot, shown: DisplayState): string {
  const details = [
    ...(progress ? [`on ${placeText(progress)}`] : []),
    ...(state.state === 'running' && state.stalled !== undefined ? [state.stalled] : []),
    ...(state.state === 'failed' ? [state.reason] : []),
    ...(state.state === 'failed' && log !== undefined ? [`log: ${log}`] : []),
  ];
  return `${COLOUR[shown](shown.padEnd(11))} ${stageLabel(stage)}  ${pc.dim(details.join('; '))}`.trimEnd();
}

/** One object a line, whenever something but the passing of time has changed. */
class JsonLines {
  #last = '';

  show(view: StatusView): void {
    const states = view.snapshot.stages.map(s => [displayStateOf(s), s.state, s.progress?.phase, s.progress?.step]);
    const text = JSON.stringify([states, view.snapshot.runners, view.jobs?.jobs]);
    if (text === this.#last) return;
    this.#last = text;
    print(`${statusJson(view)}\n`);
  }

  close(): void {
    // Every line is complete by itself.
  }
}
