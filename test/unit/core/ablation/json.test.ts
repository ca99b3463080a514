import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../../src/core/ablation/json.ts';

describe('canonicalJson', () => {
  it('sorts keys by code unit, at every depth, and keeps lists as they are', () => {
    expect(canonicalJson({ b: [3, { z: 1, a: null }], B: true, ä: '"', a: -0 })).toBe('{"B":true,"a":0,"b":[3,{"a":null,"z":1}],"ä":"\\""}');
    expect(canonicalJson([])).toBe('[]');
    expect(canonicalJson(Object.create(null))).toBe('{}');
  });

  it.each([
    [{ a: [1, { b: NaN }] }, 'recipe.a[1].b: expected a JSON value (finite number, string, boolean, null, list or plain object), got NaN'],
    [{ a: undefined }, 'recipe.a: expected a JSON value (finite number, string, boolean, null, list or plain object), got undefined'],
    // eslint-disable-next-line no-sparse-arrays -- a hole is the case
    [{ ok: [1, 2], list: [1, , 3] }, 'recipe.list[1]: expected a JSON value (finite number, string, boolean, null, list or plain object), got undefined'],
    [{ when: new Date(0) }, 'recipe.when: expected a JSON value (finite number, string, boolean, null, list or plain object), got an instance of Date'],
    [Infinity, 'recipe: expected a JSON value (finite number, string, boolean, null, list or plain object), got Infinity'],
  ])('names the path of what JSON cannot hold', (value, message) => {
    expect(() => canonicalJson(value, 'recipe')).toThrow(message);
  });
});
