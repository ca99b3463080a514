/** What a sweep sets out to do, written into its store. */
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { StoreError } from '../../core/store/errors.ts';
import type { Store } from '../../core/store/store.ts';
import { warn } from '../terminal/text.ts';

/** For `explain`. A store that takes no record may still hold all that is asked for. */
export function rememberSweep(store: Store, { study, plan, profile, overrides, seeds }: PlannedExperiments): void {
  try {
    store.recordSweep({ study: study.name, profile: profile.name, overrides, seeds, arms: plan.arms.map(({ ablation, arm, seed, stages }) => ({ ablation, arm, seed, stages })) });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    warn(`${error.message} What this sweep planned is not recorded.`);
  }
}
