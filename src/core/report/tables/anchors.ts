/** Where the parts of a report stand on its page: names that links and rows share. */
import type { ClaimResult } from '../model/claims.ts';
import { slug } from '../../text/clean.ts';

export const ablationAnchor = (name: string): string => `ablation-${slug(name)}`;
/** With the name as it stands: `v1.2` and `v1-2` may be claims of one ablation. */
export const claimAnchor = ({ ablation, name }: Pick<ClaimResult, 'ablation' | 'name'>): string => `claim-${slug(ablation)}--${name}`;
