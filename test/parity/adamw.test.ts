import { beforeAll, expect, it } from 'vitest';
import { initAdamW } from '../../src/tinymim/optim/adamw.ts';
import { isTrainedInPretraining, pretrainGroups } from '../../src/tinymim/optim/groups.ts';
import type { Params } from '../../src/engine/formats/weights.ts';
import { expectClose, expectCloseAbsolute, fixture, startEngine } from '../helpers/parity/fixtures.ts';
import { adamw } from '../helpers/adamw-step.ts';

beforeAll(startEngine);

interface AfterStep {
  readonly weight_decay_groups: { readonly decay: readonly string[]; readonly no_decay: readonly string[] };
  readonly unchanged: readonly string[];
  readonly config: {
    readonly optimizer: { readonly lr: number; readonly betas: readonly [number, number]; readonly eps: number; readonly weight_decay: number };
    readonly student: { readonly embed_dim: number };
  };
}

const after = fixture<AfterStep>('tinymim_after_step1');
const { lr, betas, eps, weight_decay: weightDecay } = after.config.optimizer;

it('decays the parameters that the official code decays in pre-training', () => {
  const groups = pretrainGroups(fixture('tinymim_student').group('param/'), weightDecay);
  const named = (decay: number) =>
    Object.keys(groups)
      .filter(name => groups[name]!.weightDecay === decay)
      .sort();
  expect(named(weightDecay)).toEqual([...after.json.weight_decay_groups.decay].sort());
  expect(named(0)).toEqual([...after.json.weight_decay_groups.no_decay].sort());
});

it('makes the official first step from the golden gradients', () => {
  const params = fixture('tinymim_student').group('param/');
  const grads = Object.fromEntries(Object.entries(fixture('tinymim_student_grads').group('grad/')).filter(([name]) => name in params && isTrainedInPretraining(name))); // 'input' is the image's
  const next: Params = adamw({ grads, state: initAdamW(params), params, lr, betas, eps, groups: pretrainGroups(params, weightDecay) }).params;
  const keyBias = after.config.student.embed_dim,
    golden = after.group('step1/');
  expect(Object.keys(next).sort()).toEqual(Object.keys(golden).sort());
  for (const [name, expected] of Object.entries(golden)) {
    const actual = next[name]!;
    if (after.json.unchanged.includes(name)) {
      expectClose(actual, expected, 0, name);
    } else if (name.endsWith('qkv.bias')) {
      // The key bias has no true gradient: Adam makes rounding noise of it a good part of lr.
      for (const [third, tolerance] of [
        [0, 0.02 * lr],
        [1, 2 * lr],
        [2, 0.02 * lr],
      ] as const) {
        expectCloseAbsolute(actual.slice(third * keyBias, keyBias), expected.slice(third * keyBias, keyBias), tolerance, `${name}[${third}]`);
      }
    } else {
      expectCloseAbsolute(actual, expected, 0.02 * lr, name);
    }
  }
});
