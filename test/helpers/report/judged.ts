/** Claims as they come out of judging, for what is told of them: nothing here was measured. */
import type { ClaimResult, PairResult } from '../../../src/core/report/model/claims.ts';
import type { Origin } from '../../../src/core/report/model/words.ts';

interface Judged extends Partial<Pick<ClaimResult, 'sentence' | 'direction' | 'seeds' | 'beforeCorrection' | 'p'>> {
  readonly origin?: Origin;
  /** Of the comparison that stands for it, in the headline's unit. */
  readonly delta?: number;
  /** Whether the paper's own table denies it. */
  readonly denied?: boolean;
}

/** A claim of one comparison. Without a verdict of either side it agrees, unless the rest says otherwise. */
export function judgedClaim(verdict: ClaimResult['verdict'], { origin = 'published', delta, denied = false, ...rest }: Judged = {}): ClaimResult {
  const isOpen = !['reproduced', 'contradicted', 'not run'].includes(verdict);
  const pair = {
    type: 'greater',
    arm: { ablation: 'x', arm: 'a', label: 'A' },
    than: { ablation: 'x', arm: 'b', label: 'B' },
    margin: 0,
    missing: [],
    verdict,
    delta,
    published: origin === 'published' ? { gap: denied ? -1 : 1, outcome: denied ? 'contradicts' : 'supports' } : undefined,
  } as unknown as PairResult;
  return {
    ablation: 'x',
    name: 'c',
    sentence: 'A is above B.',
    origin,
    source: origin === 'published' ? 'section 4' : undefined,
    note: undefined,
    verdict,
    beforeCorrection: verdict,
    direction: isOpen ? 'agrees' : undefined,
    seeds: { n: 5, declared: 5 },
    published: pair.published?.outcome,
    deciding: pair,
    p: undefined,
    pairs: [pair],
    ...rest,
  };
}
