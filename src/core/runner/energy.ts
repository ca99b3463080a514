/**
 * Energy of the machine's processors by their own counters (RAPL, in /sys/class/powercap of Linux). They count whole
 * processors: what other processes spend meanwhile is in it. Usually only root may read them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const POWERCAP = '/sys/class/powercap';
/** A counter starts again at zero after some ten minutes of full load; it has to be looked at more often than that. */
const SAMPLE_MS = 60_000;

interface Counter {
  readonly file: string;
  /** Microjoules at which it starts again. */
  readonly range: number;
  last: number;
}

export class EnergyMeter {
  readonly #counters: readonly Counter[];
  #microjoules = 0;

  /** @param root where the counters stand */
  constructor(root = POWERCAP) {
    this.#counters = packages(root).flatMap(dir => {
      const file = join(dir, 'energy_uj');
      const [last, range] = [file, join(dir, 'max_energy_range_uj')].map(readNumber);
      return last === undefined || range === undefined ? [] : [{ file, range, last }];
    });
    // Does not keep the process alive.
    if (this.#counters.length > 0) setInterval(() => this.joules(), SAMPLE_MS).unref();
  }

  /** Since this meter was made; undefined where nothing can be read. */
  joules(): number | undefined {
    if (this.#counters.length === 0) return undefined;
    for (const counter of this.#counters) {
      const now = readNumber(counter.file) ?? counter.last;
      this.#microjoules += now >= counter.last ? now - counter.last : now + counter.range - counter.last;
      counter.last = now;
    }
    return this.#microjoules / 1e6;
  }
}

/** One folder a processor; those within (cores, memory) are parts of it. */
function packages(root: string): string[] {
  try {
    return readdirSync(root)
      .filter(name => /^intel-rapl:\d+$/.test(name))
      .sort()
      .map(name => join(root, name));
  } catch {
    return [];
  }
}

function readNumber(file: string): number | undefined {
  try {
    const value = Number(readFileSync(file, 'utf8').trim());
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
