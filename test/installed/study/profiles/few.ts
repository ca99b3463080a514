import type { Profile } from '../study.ts';

export default { name: 'few', seeds: [0, 1, 2], flips: 100 } satisfies Profile;
