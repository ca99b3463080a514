import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { testFiles } from './test/isolation.ts';

// Limits of time are for what hangs: on a machine that is busy with ten other things nothing reaches them.
// One project per kind of test, so that each make target runs its own (`vitest run --project unit`).
const project = (name: string, include: string[], testTimeout: number, env: Record<string, string> = {}) => ({
  extends: true as const,
  test: { name, include, testTimeout, hookTimeout: testTimeout, env },
});

/** No test changes what another sees: modules, or the engine of the golden values, are loaded once for many files, and not for each. */
const shared = (...args: Parameters<typeof project>) => {
  const { test, ...rest } = project(...args);
  return { ...rest, test: { ...test, isolate: false } };
};

const GOLDEN = 'test/parity/**/*.test.ts';
const [unit, property] = [testFiles('unit'), testFiles('property')];

/** End-to-end files that take half a minute or more, the longest first: begun last, one of them would run alone at the end. */
const LONGEST = [
  'toy-slurm',
  'toy-chaos',
  'toy-report-kept',
  'tinymim-sweep',
  'init-python',
  'toy-command',
  'toy-adopt',
  'toy-watch',
  'tinymim-folder',
  'setup-wheel',
  'toy-explain',
  'tinymim-imagenet',
  'toy-packs',
  'toy-told',
  'toy-tidy',
  'toy-plan',
  'toy-stale',
];

/** Projects stay together: a process that is shared ends where a file of another project is next. */
const rankOf = ({ moduleId, project }: TestSpecification): number => {
  if (project.name === 'browser') return -1;
  const place = LONGEST.findIndex(name => moduleId.endsWith(`/${name}.test.ts`));
  if (place >= 0) return place;
  return project.name === 'e2e' ? LONGEST.length : LONGEST.length + 1;
};

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    // Twice the two cores that are reckoned with: most of the time of end-to-end tests they wait, for steps that pause and for what others compute.
    maxWorkers: 4,
    // Of the tests of a file that say so: those that wait for processes.
    maxConcurrency: 3,
    sequence: { sequencer: LongestFirst },
    tags: [{ name: 'long', description: 'Breadth that takes minutes: run by `make test-long`, left out by `make test`.' }],
    env: { TF_CPP_MIN_LOG_LEVEL: '2' },
    // A test whose only assertions stand in a loop over nothing has proved nothing.
    expect: { requireAssertions: true, poll: { timeout: 60_000 } },
    projects: [
      shared('unit', [...unit.shared], 120_000),
      shared('property', [...property.shared], 180_000),
      shared('engine', [...unit.engine, ...property.engine], 180_000),
      project('isolated', [...unit.isolated, ...property.isolated], 180_000),
      project('fuzz', ['test/fuzz/**/*.test.ts'], 180_000),
      shared('parity', [GOLDEN], 180_000),
      // The same golden values, computed as compiled graphs, and without native code.
      shared('parity-graph', [GOLDEN], 180_000, { PARITY_MODE: 'graph' }),
      shared('parity-wasm', [GOLDEN, 'test/unit/engine/grad.test.ts'], 180_000, { ENGINE: 'wasm' }),
      // What programs print is compared as text, whatever FORCE_COLOR says here.
      shared('e2e', ['test/e2e/**/*.test.ts'], 600_000, { NO_COLOR: '1' }),
      project('browser', ['test/browser/**/*.test.ts'], 180_000),
    ],
  },
});
