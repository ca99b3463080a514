/** The numbers that arms of an ablation are compared by, and their published values. */
import type { AblationDeclaration, MeasureDeclaration, Published, PublishedValues, Study } from './declaration.ts';

export interface Measure extends MeasureDeclaration {
  readonly name: string;
}

/** The number that arms are compared by where an ablation names none. */
export const headlineMeasure = ({ report: { headline } }: Study): Measure => ({ ...headline, name: headline.metric });

/** Gap of published values, in their unit, below which the paper itself separates no two arms; of other numbers than the headline nothing is known. */
export const noiseOf = (study: Study, { name }: Pick<Measure, 'name'>): number => (name === headlineMeasure(study).name ? (study.report.publishedNoise?.value ?? 0) : 0);

/** By name, the headline first. */
export function knownMeasures(study: Study): ReadonlyMap<string, Measure> {
  const first = headlineMeasure(study);
  return new Map([[first.name, first], ...Object.entries(study.report.measures ?? {}).map(([name, measure]): [string, Measure] => [name, { ...measure, name }])]);
}

/** Of an ablation, in its order: never empty. */
export function measuresOf(study: Study, { measures }: Pick<AblationDeclaration<object>, 'measures'>): readonly [Measure, ...Measure[]] {
  const known = knownMeasures(study);
  const [first = headlineMeasure(study), ...others] = (measures ?? []).flatMap(name => known.get(name) ?? []);
  return [first, ...others];
}

/** Values by measure rather than that of the first measure alone. */
export const isByMeasure = (published: PublishedValues): published is Readonly<Record<string, Published>> => Object.values(published).every(value => typeof value === 'object');

/** The published value of a measure. @param first of the ablation's measures, which a value without a name belongs to */
export function publishedFor(published: PublishedValues | undefined, measure: string, first: string): Published | undefined {
  if (published === undefined) return undefined;
  if (isByMeasure(published)) return published[measure];
  return measure === first ? published : undefined;
}
