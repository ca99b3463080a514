/** What crosses between JavaScript and TensorFlow, as the boundary itself counts it. */
import type { Phase } from '../../src/core/ablation/kind.ts';
import { nativeBackend } from '../../src/engine/compile/native.ts';

export interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Of functions and operations. */
  readonly calls: number;
}

const total = (): Traffic => {
  const [bytesIn, bytesOut, calls] = nativeBackend().binding.traffic();
  return { bytesIn, bytesOut, calls };
};

const between = (before: Traffic, after: Traffic): Traffic => ({ bytesIn: after.bytesIn - before.bytesIn, bytesOut: after.bytesOut - before.bytesOut, calls: after.calls - before.calls });

export async function trafficOf(run: () => Promise<unknown>): Promise<Traffic> {
  const before = total();
  await run();
  return between(before, total());
}

/** Adds up what lies between two steps in a row; what another phase interrupts is left out. */
export class StepTraffic {
  #last: Traffic | undefined;
  readonly #steps: Traffic[] = [];

  mark(phase: Phase): void {
    const now = phase === 'step' ? total() : undefined;
    if (now && this.#last) this.#steps.push(between(this.#last, now));
    this.#last = now;
  }

  /** Of one step. */
  mean(): Traffic {
    const mean = (key: keyof Traffic): number => this.#steps.reduce((sum, step) => sum + step[key], 0) / this.#steps.length;
    return { bytesIn: mean('bytesIn'), bytesOut: mean('bytesOut'), calls: mean('calls') };
  }
}
