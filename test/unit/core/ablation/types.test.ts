/** What the editor marks. `tsc --noEmit` is the test: a line below that is no longer an error is itself an error. */
import { expect, expectTypeOf, test } from 'vitest';
import { axesOf } from '../../../../src/core/ablation/axes.ts';
import type { ArmDeclaration } from '../../../../src/core/ablation/declaration.ts';
import { defineAblation } from '../../../../src/core/ablation/define.ts';
import type { Factors as TinyMim } from '../../../../src/tinymim/factors.ts';
import type { Factors } from '../../../toy/experiments/study.ts';

const { axis, product, union, withPublished } = axesOf<Factors>();
const text = { title: 't', table: 'ours', question: 'q', expected: 'e' };
const half = { name: 'half', label: 'Half', factors: { cut: 0.5 } } as const;

test('an axis takes a factor of the study and values of its type', () => {
  const none = axis('cut', []);
  expectTypeOf(none).toExtend<readonly ArmDeclaration<Factors>[]>();
  expect(none).toEqual([]);
  // @ts-expect-error -- a misspelt factor
  axis('cutt', [{ name: 'a', label: 'A', value: 1 }]);
  // @ts-expect-error -- a value of another type
  axis('cut', [{ name: 'a', label: 'A', value: 'half' }]);
  // @ts-expect-error -- a value that the enumeration lacks
  axis('variety', [{ name: 'a', label: 'A', value: 'elmm' }]);
  // @ts-expect-error -- a value inside an object
  axis('trouble', [{ name: 'a', label: 'A', value: { kind: 'none', att: 0 } }]);
});

test('pieces written by hand are checked, too', () => {
  // @ts-expect-error -- a misspelt factor
  product([{ name: 'a', label: 'A', factors: { cutt: 1 } }]);
  // @ts-expect-error -- a wrong value in one list of several
  union([half], [{ name: 'a', label: 'A', factors: { grafted: 'yes' } }]);
  // @ts-expect-error -- published values belong to whole arms: a product would lose them
  product(withPublished([half], () => undefined));
  // @ts-expect-error -- another arm's factors cannot be multiplied
  expect(() => product([{ name: 'a', label: 'A', sameAs: 'cut/half' }])).toThrow(TypeError);
});

test('a declaration is checked field by field', () => {
  const good = defineAblation<Factors>({ ...text, name: 'x', base: { grafted: true }, default: 'half', arms: [half] });
  expect(good.arms).toEqual([half]);
  // @ts-expect-error -- a factor that is none
  defineAblation<Factors>({ ...text, name: 'x', base: { workers: 2 }, default: 'half', arms: [half] });
  // @ts-expect-error -- both factors and sameAs
  defineAblation<Factors>({ ...text, name: 'x', base: {}, default: 'half', arms: [{ ...half, sameAs: 'cut/half' }] });
  // @ts-expect-error -- neither factors nor sameAs
  defineAblation<Factors>({ ...text, name: 'x', base: {}, default: 'half', arms: [{ name: 'half', label: 'Half' }] });
  // @ts-expect-error -- a comparison of a kind that there is not
  defineAblation<Factors>({ ...text, name: 'x', base: {}, default: 'half', arms: [half], claims: [{ name: 'c', sentence: 's', source: 's', parts: [{ type: 'less', arm: 'half', than: 'a' }] }] });
});

test('the axes of TinyMIM know its factors', () => {
  const tiny = axesOf<TinyMim>();
  expect(tiny.axis('relations', [{ name: 'qk', label: 'Q-K', value: ['qk'] }])).toHaveLength(1);
  // @ts-expect-error -- no such pair
  tiny.axis('relations', [{ name: 'qk', label: 'Q-K', value: ['qx'] }]);
});
