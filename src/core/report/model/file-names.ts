/** Names of the files that a report may have, known before there is one: two ablations must not want the same. */
import type { Study } from '../../ablation/declaration.ts';
import { UsageError } from '../../ablation/errors.ts';
import { slug } from '../../text/clean.ts';

type Curves = Pick<Study, 'report'>;

/** A chart of curves of one ablation. */
export const curveFigureId = (ablation: string, { role, metric }: Curves['report']['curves'][number]): string => slug(`${ablation}-${role}-${metric}`);

/** A chart of numbers of one result. */
export const breakdownFigureId = (ablation: string, { role, name }: NonNullable<Curves['report']['breakdowns']>[number]): string => slug(`${ablation}-${role}-by-${name}`);

/** Files of the report as a whole, without their endings. */
const OF_ALL = ['tables/claims', 'tables/ablations', 'tables/recipes', 'tables/conditions', 'figures/forest', 'figures/overview', 'figures/agreement'];

const ofAblation = (name: string, { report: { curves, breakdowns = [] } }: Curves): string[] => [
  `tables/${slug(name)}`,
  `tables/${slug(name)}-plain`,
  `tables/${slug(name)}-two-way`,
  `figures/${slug(name)}-result`,
  ...(curves.length > 0 ? [`tables/${slug(name)}-curves`] : []),
  ...curves.map(curve => `figures/${curveFigureId(name, curve)}`),
  ...breakdowns.map(breakdown => `figures/${breakdownFigureId(name, breakdown)}`),
];

/** All files that tables and charts of these ablations may have, without their endings, and whose they are. @internal */
export const reportFiles = (ablations: readonly string[], study: Curves): [file: string, owner: string][] => [
  ...OF_ALL.map((file): [string, string] => [file, 'the report itself']),
  ...ablations.flatMap(name => ofAblation(name, study).map((file): [string, string] => [file, `ablation '${name}'`])),
];

/**
 * @param ablations names of all that are declared
 * @throws UsageError naming two that would share a file of the report
 */
export function refuseSharedFiles(ablations: readonly string[], study: Curves): void {
  const owners = new Map<string, string>();
  for (const [file, owner] of reportFiles(ablations, study)) {
    const name = file.toLowerCase(); // on some disks `A` and `a` are one file
    const other = owners.get(name);
    if (other !== undefined)
      throw new UsageError('REPORT_FILE_TAKEN', `Expected every ablation to have files of its own in the report, got ${file} of ${other} and of ${owner}. Rename ${owner}, the file and its name.`);
    owners.set(name, owner);
  }
}
