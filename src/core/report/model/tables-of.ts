/** An ablation by each of its numbers. */
import type { AblationReport } from './model.ts';

/** The ablation by its first number, then by the others. */
export const tablesOf = (ablation: AblationReport): readonly AblationReport[] => [ablation, ...ablation.others];
