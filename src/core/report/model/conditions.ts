/** Conditions under which a scale can show anything at all, and what is said where one is missed. */
import type { AblationDeclaration, ProfileBase, Study } from '../../ablation/declaration.ts';
import type { Ablation } from '../../ablation/expand.ts';
import { formatDelta, formatValue, plural, type Unit } from '../../text/format.ts';
import type { ReportRecord } from '../records/records.ts';
import { givesVerdicts } from './claims.ts';
import { headroomPairs } from './headroom.ts';
import type { Conditions, HeadroomCondition, TrainingCondition } from './model.ts';
import { headroomConditions, HEADROOM_ERRORS } from './teacher.ts';
import { trainingCondition } from './training-end.ts';

interface ConditionsInput {
  readonly study: Study;
  readonly profile: ProfileBase;
  /** The headroom among them. */
  readonly ablations: readonly AblationDeclaration<object>[];
  /** The same with the factors of their arms; without them nothing is known of the headroom. */
  readonly expanded: readonly Ablation[];
  readonly records: readonly ReportRecord[];
}

/** Undefined for a profile that gives no verdicts, whose numbers show that everything runs, and for a study that names no condition. */
export function conditionsOf(input: ConditionsInput): Conditions | undefined {
  const { study, profile, ablations, expanded, records } = input;
  if (!ablations.some(({ name }) => givesVerdicts(profile, name))) return undefined;
  const headroom = headroomConditions({ study, declared: profile.seeds, records, pairs: headroomPairs(study, expanded) });
  const training = trainingCondition(input);
  return headroom.length === 0 && training === undefined ? undefined : { headroom, training };
}

/** By how much conditions are missed, in one sentence; none where none is. @param unit of the headline */
export function missedSentence({ headroom, training }: Conditions, unit: Unit): string[] {
  const parts = [missedHeadroom(headroom, unit), training && missedTraining(training)].filter(text => text !== undefined);
  return parts.length === 0 ? [] : [`This scale may hide effects: ${parts.join('; ')}.`];
}

function missedHeadroom(conditions: readonly HeadroomCondition[], unit: Unit): string | undefined {
  const least = leastHeadroom(conditions);
  if (least?.state !== 'missed') return undefined;
  const measured = conditions.filter(({ difference }) => difference !== undefined).length;
  const missed = conditions.filter(({ state }) => state === 'missed').length;
  const gap = `${formatDelta(least.difference!.value, unit)}${unit === 'fraction' ? ' points' : ''}, ${errorsText(least)} of ${HEADROOM_ERRORS} standard errors`;
  if (measured === 1) return `\u201c${least.of.label}\u201d is not far enough above \u201c${least.baseline!.label}\u201d (${gap})`;
  return `in ${missed} of ${measured} comparisons what arms rest on is not far enough above their baseline (least: \u201c${least.of.label}\u201d against \u201c${least.baseline!.label}\u201d, ${gap})`;
}

/** Of those that are measured the one with the fewest standard errors. */
export const leastHeadroom = (conditions: readonly HeadroomCondition[]): HeadroomCondition | undefined =>
  conditions.filter(({ difference }) => difference !== undefined).sort((a, b) => errorsAbove(a) - errorsAbove(b))[0];

/** Of all together: met where each is, missed where one is. */
export function stateOfAll(conditions: readonly Pick<HeadroomCondition, 'state'>[]): HeadroomCondition['state'] {
  if (conditions.some(({ state }) => state === 'missed')) return 'missed';
  return conditions.every(({ state }) => state === 'met') && conditions.length > 0 ? 'met' : 'not measured';
}

/** How many standard errors the first is above the second. */
const errorsAbove = ({ difference }: HeadroomCondition): number => difference!.value / difference!.standardError;

/** Never rounded up to what is missed. */
export const errorsText = (condition: HeadroomCondition): string => formatErrors(Math.floor(10 * errorsAbove(condition) + 1e-9) / 10);

const formatErrors = (value: number): string => value.toFixed(1).replace('-', '\u2212');

function missedTraining({ arms }: TrainingCondition): string | undefined {
  const missed = arms.filter(({ state }) => state === 'missed');
  const [most] = missed;
  if (most === undefined) return undefined;
  const gain = `${formatDelta(most.gain, 'fraction')} points, standard error ${formatValue(most.standardError, 'fraction')}`;
  return `${missed.length} of ${plural(arms.length, 'arm')} ${missed.length === 1 ? 'was' : 'were'} still gaining in the last quarter of training (most: ${gain}, \u201c${most.label}\u201d)`;
}
