/** Words of checks: see `check.ts`. */
import type { Objection } from '../../core/ablation/kind.ts';

const objection =
  (weight: Objection['weight']) =>
  (field: string, expected: string): Objection => ({ weight, field, expected });

export const impossible = objection('impossible');
export const doubtful = objection('doubtful');

export const objectIf = (holds: boolean, then: Objection): Objection[] => (holds ? [then] : []);
