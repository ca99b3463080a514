/** A number that arms are compared by, as a report shows it. */
import type { MetricSpec } from '../../ablation/kind.ts';
import type { Unit } from '../../text/format.ts';

export interface ShownMeasure {
  readonly name: string;
  readonly label: string;
  readonly unit: Unit;
  readonly better: MetricSpec['better'];
}
