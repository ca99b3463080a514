/**
 * `make tries ARGS="<store>"`: what the sweeps of a store came to, in Markdown, each as a try: how it differs from its profile, and of each
 * arm the accuracy of each seed, its mean, and what the last quarter of its training gained. For experiments/profiles/STUDY.md.
 */
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import type { SweepRecord } from '../../src/core/store/sweeps.ts';
import { mean, sampleStd } from '../../src/core/report/statistics/statistics.ts';
import { gainAtEnd } from '../../src/core/report/model/training-end.ts';
import type { CurvePoint } from '../../src/core/report/records/records.ts';
import { HELD_OUT_IMAGES } from '../../src/tinymim/stages/held-out.ts';
import { plural } from '../../src/core/text/format.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Expected the folder of a store, got none: make tries ARGS="runs"');
  process.exit(2);
}
const store = openStoreReadOnly(folder, { warn: message => console.error(`Warning: ${message}`) });

interface Tested {
  readonly seed: number;
  readonly accuracy: number;
  /** Of the validation accuracy over the last quarter of its training, in standard errors of the held-out images. */
  readonly gain: number | undefined;
}

/** As a report says whether a training was long enough. */
function gainOf(key: string): number | undefined {
  const points = store.curve(key).flatMap(({ epoch, val_accuracy: value }): CurvePoint[] => (value === undefined ? [] : [[epoch, value]]));
  const [gain, last] = [gainAtEnd(points), points.at(-1)?.[1]];
  return gain === undefined || last === undefined ? undefined : gain / Math.sqrt((last * (1 - last)) / HELD_OUT_IMAGES);
}

function testedOf({ seed, stages }: SweepRecord['arms'][number]): Tested[] {
  const accuracy = store.result(stages['evaluate'] ?? '')?.['accuracy'];
  return typeof accuracy !== 'number' ? [] : [{ seed, accuracy, gain: gainOf(stages['finetune'] ?? stages['supervise'] ?? '') }];
}

const percent = (share: number): string => (100 * share).toFixed(2);

function row(arm: string, tested: readonly Tested[]): string {
  const values = tested.map(({ accuracy }) => accuracy),
    gains = tested.flatMap(({ gain }) => gain ?? []);
  const error = values.length > 1 ? ` ± ${percent(sampleStd(values) / Math.sqrt(values.length))}` : '';
  return `| ${[
    arm,
    values.map(percent).join(' '),
    `${percent(mean(values))}${error}`,
    gains.length === 0
      ? ''
      : mean(gains)
          .toFixed(1)
          .replace(/^-0\.0$/, '0.0'),
  ].join(' | ')} |`;
}

/** Sweeps of one plan are one try, however often it was stopped. */
const tries = new Map(
  store
    .sweeps()
    .reverse()
    .map(sweep => [JSON.stringify([sweep.profile, sweep.overrides, sweep.seeds, sweep.arms]), sweep] as const),
);

for (const [index, { profile, overrides, seeds, arms }] of [...tries.values()].entries()) {
  const byArm = new Map<string, Tested[]>();
  for (const arm of arms) {
    const name = `${arm.ablation}/${arm.arm}`;
    byArm.set(name, [...(byArm.get(name) ?? []), ...testedOf(arm)]);
  }
  const rows = [...byArm].flatMap(([name, tested]) => (tested.length === 0 ? [] : [row(name, tested)]));
  console.log(
    `### Try ${index + 1}: ${overrides.length === 0 ? profile : overrides.map(change => `\`${change}\``).join(', ')}\n\n` +
      `${plural(seeds.length, 'seed')} (${seeds.join(', ')})\n\n| arm | accuracy of each seed, % | mean ± s.e. | gain of the last quarter, s.e. |\n| --- | --- | ---: | ---: |\n${rows.join('\n')}\n`,
  );
}
