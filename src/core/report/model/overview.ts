/** The paper's headline picture, from arms of whichever ablations the report holds. */
import { armReference } from '../../ablation/claims.ts';
import type { OverviewDeclaration } from '../../ablation/declaration.ts';
import type { AblationReport, ArmRow, Overview } from './model.ts';
import { oneLine } from '../../text/clean.ts';

/** Arms of ablations that the report leaves out, or that nobody declared, are missing. */
export function buildOverview(declared: OverviewDeclaration | undefined, ablations: readonly AblationReport[]): Overview | undefined {
  if (declared === undefined) return undefined;
  const rowOf = (reference: string | null): ArmRow | undefined => {
    if (reference === null) return undefined;
    const { ablation, arm } = armReference(reference, '');
    return ablations.find(report => report.name === ablation)?.rows.find(row => row.name === arm);
  };
  return {
    title: oneLine(declared.title),
    x: { label: oneLine(declared.x.label), values: declared.x.values.map(oneLine) },
    series: declared.series.map(({ label, arms }) => ({ label: oneLine(label), arms: arms.map(rowOf) })),
  };
}
