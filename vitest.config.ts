import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Limits of time are for what hangs: on a machine that is busy with ten other things nothing reaches them.
// One project per kind of test, so that each make target runs its own (`vitest run --project unit`).
// The native engine is one global per process: files run in forked processes.
const project = (name: string, include: string[], testTimeout: number, env: Record<string, string> = {}) => ({
  extends: true as const,
  test: { name, include, testTimeout, hookTimeout: testTimeout, env },
});

/** Golden values: no test changes what another sees, so the engine is loaded once for all files, and not for each. */
const parity = (name: string, more: string[], env: Record<string, string>) => {
  const { test, ...rest } = project(name, ['test/parity/**/*.test.ts', ...more], 180_000, env);
  return { ...rest, test: { ...test, isolate: false } };
};

/** Files that take minutes, the longest first: begun last, one of them would run alone at the end. */
const LONGEST = ['toy-chaos', 'report-page', 'init-study', 'tinymim-sweep', 'toy-packs', 'installed-elsewhere'];

const rankOf = ({ moduleId, project }: TestSpecification): number => {
  const place = LONGEST.findIndex(name => moduleId.endsWith(`/${name}.test.ts`));
  if (place >= 0) return place;
  return ['e2e', 'browser'].includes(project.name) ? LONGEST.length : LONGEST.length + 1;
};

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    // One more than the two cores that are reckoned with: many wait for processes.
    maxWorkers: 3,
    // Of the tests of a file that say so: those that wait for processes.
    maxConcurrency: 3,
    sequence: { sequencer: LongestFirst },
    env: { TF_CPP_MIN_LOG_LEVEL: '2' },
    // A test whose only assertions stand in a loop over nothing has proved nothing.
    expect: { requireAssertions: true, poll: { timeout: 60_000 } },
    projects: [
      project('unit', ['test/unit/**/*.test.ts'], 120_000),
      project('property', ['test/property/**/*.test.ts'], 180_000),
      project('fuzz', ['test/fuzz/**/*.test.ts'], 180_000),
      parity('parity', [], {}),
      // The same golden values, computed as compiled graphs, and without native code.
      parity('parity-graph', [], { PARITY_MODE: 'graph' }),
      parity('parity-wasm', ['test/unit/engine/grad.test.ts'], { ENGINE: 'wasm' }),
      // What programs print is compared as text; CI would turn colours on.
      project('e2e', ['test/e2e/**/*.test.ts'], 600_000, { NO_COLOR: '1' }),
      project('browser', ['test/browser/**/*.test.ts'], 180_000),
    ],
  },
});
