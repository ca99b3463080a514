import { describe, expect, it } from 'vitest';
import { enginesOf, enginesText, mixedEngines } from '../../../../../src/core/report/records/engines.ts';
import { publicFacts } from '../../../../../src/core/report/records/public-facts.ts';
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

describe('mixedEngines', () => {
  const gpu = { card: 'NVIDIA A10', driver: '570.86.15', cuda: '12.9.79', cublas: '12.9.3.13', cudnn: '9.28.0.42' };
  const onGpus = (gpuOf: (i: number) => object) =>
    mixedEngines(
      records,
      ranOn(i => ({ ...tensorflow, device: 'gpu', gpu: gpuOf(i) })),
    );

  it.each(['card', 'driver', 'cuda', 'cublas', 'cudnn'])('says so of a table whose stages ran with another %s', name => {
    const text = onGpus(i => (i === 0 ? { ...gpu, [name]: '1.2' } : gpu));
    expect(text).toContain('tensorflow 2.21.0, graph float32, NVIDIA A10, driver 570.86.15, CUDA 12.9.79, cuBLAS 12.9.3.13, cuDNN 9.28.0.42 (');
    expect(text).toContain('1.2');
  });

  it('says nothing of stages of one card, whatever processors it stands beside', () => {
    expect(onGpus(() => gpu)).toBeUndefined();
  });

  it('is told from what a report may hold', () => {
    const facts = { cpu: 'A', stage: { engine: { ...tensorflow, device: 'gpu', gpu: { ...gpu, uuid: 'GPU-1', computeCapability: 8.6 } } } };
    expect(publicFacts(facts)).toEqual({ cpu: 'A', stage: { engine: { ...tensorflow, device: 'gpu', gpu } } });
  });
});
