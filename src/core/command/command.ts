/** What a kind of stage says of its program, for the worker that runs it. */
import type { MetricSpec } from '../ablation/kind.ts';

export interface Command {
  /** In which it runs. */
  readonly folder: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly versions: readonly (readonly string[])[];
  readonly metrics: Readonly<Record<string, MetricSpec>>;
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly graceMs: number;
}
