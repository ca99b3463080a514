import { expect, it } from 'vitest';
import { AblateError, Interrupted, isPermanent, PermanentError, UsageError } from '../../../../src/core/ablation/errors.ts';
import { canonicalJson } from '../../../../src/core/ablation/json.ts';
import { EngineError } from '../../../../src/engine/engine-error.ts';
import { shapeError } from '../../../../src/engine/shape.ts';
import { DataError } from '../../../../src/tinymim/data/errors.ts';
import { ModelError } from '../../../../src/tinymim/nn/errors.ts';

const thrown = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

it.each<[string, unknown, boolean]>([
  ['a bad recipe', new PermanentError('BAD_RECIPE', 'x'), true],
  ['bad use', new UsageError('BAD_STAGE', 'x'), true],
  ['a result that is no JSON', thrown(() => canonicalJson(Number.NaN)), true],
  ['a model that cannot be built', new ModelError('CONFIG', 'x'), true],
  ['a tensor of another shape', shapeError('x', [1], [2], 'y'), true],
  ['an engine that does not load', new EngineError('ENGINE_UNAVAILABLE', 'x'), true],
  ['missing data', new DataError('DATA_MISSING', 'x'), true],
  ['a thread that failed', new DataError('LOADER_THREAD', 'x'), false],
  ['an error of the core that may pass', new AblateError('UPSTREAM_MISSING', 'x'), false],
  ['a stop on request', new Interrupted(), false],
  ['any error', new Error('x'), false],
  ['a type error, as of a network', new TypeError('fetch failed'), false],
  ['no error at all', 'x', false],
])('whether trying again cannot mend it: %s', (_, error, expected) => {
  expect(isPermanent(error)).toBe(expected);
});
