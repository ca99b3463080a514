import { describe, expect, it } from 'vitest';
import { enginesOf, enginesText } from '../../../../../src/core/report/records/engines.ts';
import { parseProvenance, serializeProvenance } from '../../../../../src/core/report/records/provenance.ts';
import { sampleInput } from '../../../../helpers/report/sample.ts';

const TITLES = { tensorflow: 'TensorFlow', wasm: 'WebAssembly' };
const { records } = sampleInput();
const done = records.filter(record => record.state === 'done').map(record => record.key);
const ranOn = (engineOf: (i: number) => object | undefined) =>
  enginesOf(parseProvenance(serializeProvenance(Object.fromEntries(done.map((key, i) => [key, { cpu: `Model ${i}`, stage: { engine: { ...engineOf(i) } } }])))));
const tensorflow = { name: 'tensorflow', libraryVersion: '2.21.0', mode: 'graph', precision: 'float32' };
const wasm = { name: 'wasm', libraryVersion: '4.22.0', mode: 'eager', precision: 'float32' };

describe('enginesText, the engine at the head of a report', () => {
  it('is what stages recorded, however many processors and versions there were', () => {
    expect(
      enginesText(
        records,
        ranOn(i => ({ ...tensorflow, libraryVersion: `2.${i}` })),
        TITLES,
      ),
    ).toBe('TensorFlow, mode graph, float32');
    expect(
      enginesText(
        records,
        ranOn(() => wasm),
        TITLES,
      ),
    ).toBe('WebAssembly, mode eager, float32');
  });

  it('is every engine, mode and precision, in one order', () => {
    const mixed = (order: number) =>
      enginesText(
        records,
        ranOn(i => (i % 2 === order ? wasm : tensorflow)),
        TITLES,
      );
    expect(mixed(0)).toBe('TensorFlow, mode graph, float32; WebAssembly, mode eager, float32');
    expect(mixed(1)).toBe(mixed(0));
  });

  it('names an engine without a title by its name', () => {
    expect(
      enginesText(
        records,
        ranOn(() => ({ name: 'constructor' })),
        TITLES,
      ),
    ).toBe('constructor');
  });

  it('is not known where no stage that is done recorded one', () => {
    expect(enginesText(records, {}, TITLES)).toBeUndefined();
    expect(
      enginesText(
        records.map(record => ({ ...record, state: 'failed' as const })),
        ranOn(() => wasm),
        TITLES,
      ),
    ).toBeUndefined();
  });
});
