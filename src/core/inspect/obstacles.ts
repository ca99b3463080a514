/** Why a sweep cannot run what is to run here and now, though it could elsewhere or later. */
import type { StageKind } from '../ablation/kind.ts';
import { bytesOf, fitOf } from '../plan/memory.ts';
import { objectionSentence, objectionsTo } from '../plan/objections.ts';
import type { PlannedExperiments } from '../plan/plan.ts';
import { armsUsing, armsText, type PlannedStage } from '../plan/stages.ts';
import { devicesOf, largestMemory, type Place } from '../runner/devices.ts';
import { formatAmount } from '../text/format.ts';

/**
 * What the study and its kinds cannot run, and what needs more memory than there is. Missing data is told apart (`Study.notReady`), since
 * a command mends it.
 * @param stages to run
 */
export function obstacles({ study, profile, plan }: PlannedExperiments, stages: readonly PlannedStage[], places: readonly Place[]): string[] {
  const notRunnable = study.notRunnable?.(profile, devicesOf(places));
  return [
    ...(notRunnable === undefined ? [] : [notRunnable]),
    ...objectionsTo(study.kinds, plan, stages)
      .filter(({ weight }) => weight === 'unavailable')
      .map(objectionSentence),
    ...(places.length === 0 ? [] : tooLarge(study.kinds, plan, stages, largestMemory(places))),
  ];
}

/** Of each kind what is too large for `memory` bytes even in the smallest micro-batches that its batch can be divided into, by the estimates. */
function tooLarge(kinds: readonly StageKind[], plan: PlannedExperiments['plan'], stages: readonly PlannedStage[], memory: number): string[] {
  return kinds.flatMap(kind => {
    const large = stages.flatMap(stage => {
      const fit = stage.kind === kind.name ? fitOf(kind, plan, stage, memory) : undefined;
      return fit && bytesOf(fit) > memory ? [{ stage, bytes: bytesOf(fit) }] : [];
    });
    if (large.length === 0) return [];
    const arms = armsText(armsUsing(large.map(({ stage }) => stage))),
      bytes = Math.max(...large.map(one => one.bytes));
    return [`${kind.name} of ${arms}: expected stages that fit into ${formatAmount(memory, 'B')} of memory, got up to ${formatAmount(bytes, 'B')} by estimate, however its batch is divided`];
  });
}
