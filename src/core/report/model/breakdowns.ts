/** Numbers of one result over an axis: what the arms of an ablation came to at each of its places. */
import type { ArmDeclaration, ProfileBase, Study } from '../../ablation/declaration.ts';
import type { Unit } from '../../text/format.ts';
import { oneLine } from '../../text/clean.ts';
import { mean } from '../statistics/statistics.ts';
import { declaredOf } from '../statistics/verdict.ts';
import { breakdownFigureId } from './file-names.ts';
import { metricSpec, resultNumber, type Placed } from './usage.ts';

export interface Breakdown {
  readonly id: string;
  readonly title: string;
  readonly notes: readonly string[];
  readonly axis: string;
  readonly as: 'lines' | 'matrix';
  readonly unit: Unit;
  readonly places: readonly string[];
  readonly rows: readonly BreakdownRow[];
}

interface BreakdownRow {
  readonly label: string;
  /** As `ArmRow` has it. */
  readonly crossed: readonly [row: string, column: string] | undefined;
  /** Replicates that the values are means of. */
  readonly n: number;
  /** One for each place. */
  readonly values: readonly number[];
}

interface BrokenDownArm {
  readonly declaration: Pick<ArmDeclaration<object>, 'crossed'>;
  readonly label: string;
  readonly placed: readonly Placed[];
}

/** Those that some arm of an ablation has. @param declared seeds, before which others do not count */
export function breakdowns(study: Study, profile: ProfileBase, ablation: string, arms: readonly BrokenDownArm[], declared: readonly number[]): Breakdown[] {
  return (study.report.breakdowns ?? []).flatMap(declaration => {
    const { role, title, notes = [], axis, as } = declaration;
    const places = declaration.places(profile);
    const rows = arms.flatMap(({ declaration: { crossed }, label, placed }): BreakdownRow[] => {
      const finished = placed.filter(one => one.role === role && one.record.state === 'done');
      const seeds = new Set(
        declaredOf(
          finished.map(({ seed }) => seed),
          declared,
        ),
      );
      const counted = finished.filter(({ seed, record }) => seeds.has(seed) && places.every(({ metrics }) => metrics.every(metric => metric in record.result)));
      if (counted.length === 0) return [];
      const values = places.map(({ metrics }) => mean(counted.flatMap(({ record }) => metrics.map(metric => resultNumber(record, metric)))));
      return [{ label, crossed: crossed && [oneLine(crossed[0]), oneLine(crossed[1])], n: counted.length, values }];
    });
    if (rows.length === 0) return [];
    const records = arms.flatMap(({ placed }) => placed.map(({ record }) => record));
    const unit = metricSpec(study, records, role, places[0]!.metrics[0]!)?.unit ?? 'ratio';
    return [{ id: breakdownFigureId(ablation, declaration), title: oneLine(title), notes: notes.map(oneLine), axis: oneLine(axis), as, unit, places: places.map(place => oneLine(place.label)), rows }];
  });
}
