/** Reports while a sweep goes on: one as each part of it but the last is done, so that what it tells need not wait for the others. */
import { join } from 'node:path';
import { execa } from 'execa';
import { reportFolder } from '../../core/report/folder.ts';
import { isHeadroom } from '../../core/ablation/headroom.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { listed } from '../../core/text/format.ts';
import { pc } from '../terminal/colours.ts';
import { PROGRAM } from '../terminal/invocation.ts';

export interface PartReportOptions {
  readonly store: string;
  /** Folder of all reports. */
  readonly reports: string;
  /** Takes a line for the person who watches. */
  readonly say: (line: string) => void;
}

interface Part {
  readonly ablations: readonly string[];
  /** Results that are still to come. */
  readonly open: Set<string>;
}

export class PartReports {
  readonly #chosen: Pick<PlannedExperiments, 'dir' | 'profile' | 'overrides'>;
  readonly #options: PartReportOptions;
  /** In their order. */
  readonly #parts: Part[];
  #writing: Promise<void> = Promise.resolve();

  /** @param done keys of stages that are done before the sweep begins */
  constructor(chosen: PlannedExperiments, done: Iterable<string>, options: PartReportOptions) {
    this.#chosen = chosen;
    this.#options = options;
    // What others rest on is no table.
    const tables = chosen.ablations.filter(({ declaration }) => !isHeadroom(chosen.study, declaration.name));
    const places = [...new Set(tables.map(({ part = 0 }) => part))].sort((a, b) => a - b);
    const isDone = new Set(done);
    const parts = places.map(place => {
      const ablations = tables.filter(({ part = 0 }) => part === place).map(({ declaration }) => declaration.name);
      return { ablations, open: new Set(chosen.plan.arms.flatMap(({ ablation, final }) => (ablations.includes(ablation) && !isDone.has(final) ? [final] : []))) };
    });
    // The sweep itself writes the last report, and what was there before it had its own.
    this.#parts = parts.slice(0, -1);
    this.#dropWhole();
  }

  /** A stage is done. */
  finished(key: string): void {
    for (const { open } of this.#parts) open.delete(key);
    const whole = this.#dropWhole();
    if (whole.length > 0) this.#writing = this.#writing.then(async () => this.#write(whole.flatMap(({ ablations }) => ablations)));
  }

  /** Nothing is being written any more. */
  settled(): Promise<void> {
    return this.#writing;
  }

  /** Parts that are done, with all before them. */
  #dropWhole(): Part[] {
    const open = this.#parts.findIndex(part => part.open.size > 0);
    return this.#parts.splice(0, open < 0 ? this.#parts.length : open);
  }

  /** In a process of its own: charts would hold up the runner for seconds. */
  async #write(ablations: readonly string[]): Promise<void> {
    const { dir, profile, overrides } = this.#chosen;
    const { store, reports, say } = this.#options;
    const sets = overrides.flatMap(change => ['--set', change]);
    const { exitCode } = await execa(process.execPath, [PROGRAM, 'report', '--experiments', dir, '--profile', profile.name, ...sets, '--store', store, '--reports', reports], {
      stdio: 'ignore',
      reject: false,
    });
    const page = join(reportFolder(reports, profile.name, overrides), 'index.html');
    say(exitCode === 0 ? `${pc.green('report')}  ${listed(ablations)}: ${pc.cyan(page)}` : pc.yellow(`The report of ${listed(ablations)} was not written; to see why: ablate report`));
  }
}
