/** The reports under version control are what their own records give: no number in them was edited by hand. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { listProfiles } from '../../../../src/core/ablation/folder.ts';
import { loadEveryAblation, loadExperiments, type Experiments } from '../../../../src/core/ablation/load.ts';
import { buildPlan } from '../../../../src/core/plan/plan.ts';
import { attribute, seedsOf } from '../../../../src/core/report/records/attribution.ts';
import { checkReport } from '../../../../src/core/report/write.ts';
import { readWritten } from '../../../../src/core/report/records/written.ts';

const experiments = fileURLToPath(new URL('../../../../experiments', import.meta.url));
const reports = fileURLToPath(new URL('../../../../reports', import.meta.url));
/** Written by `make bench` and `make bench-gpu`: figures of one machine, which no test can give again. */
const BENCH: readonly string[] = ['bench', 'bench-gpu'];
/** How to read the reports, and the picture of one. */
const GUIDE: readonly string[] = ['README.md', 'picture-light.png', 'picture-dark.png'];
/** Drawing a whole report takes seconds, and several times that on a busy machine. */
const REPORT_TIMEOUT = 120_000;
const committed = listProfiles(experiments).filter(profile => existsSync(join(reports, profile)));

/** As reports are made: of every ablation, whatever the profile sweeps. */
async function whole(profile: string): Promise<Experiments> {
  const loaded = await loadExperiments(experiments, { profile });
  return { ...loaded, ablations: await loadEveryAblation(experiments, loaded.study) };
}

describe('committed reports', () => {
  it('belong to declared profiles', () => {
    expect(committed.length).toBeGreaterThan(0);
    expect(readdirSync(reports).filter(name => !GUIDE.includes(name) && !BENCH.includes(name) && !committed.includes(name))).toEqual([]);
  });

  it.each(committed)(
    '%s is rebuilt from its records, byte for byte',
    async profile => {
      const loaded = await whole(profile);
      const problems = await checkReport({
        study: loaded.study,
        profile: loaded.profile,
        ablations: loaded.ablations.map(a => a.declaration),
        expanded: loaded.ablations,
        outDir: join(reports, profile),
      });
      expect(problems).toEqual([]);
    },
    REPORT_TIMEOUT,
  );

  it.each(committed)('%s: every result stands for the arm that the declarations say', async profile => {
    const loaded = await whole(profile);
    const { records } = readWritten(join(reports, profile));
    expect(attribute(records, buildPlan({ ...loaded, seeds: seedsOf(records) })).misplaced).toEqual([]);
  });
});
