/** An encoder with random weights in a file, tensor by tensor: one of the paper's largest size is 1.2 GB. */
import { writeSafetensors, type TensorSource } from '../../src/engine/formats/safetensors.ts';
import { stream } from '../../src/engine/random/rng.ts';
import type { ViTConfig } from '../../src/tinymim/nn/config.ts';
import { encoderSpec } from '../../src/tinymim/nn/spec.ts';

/** As MAE begins, by MAE's names. */
export function writeRandomEncoder(path: string, config: ViTConfig): void {
  const tensors = Object.entries(encoderSpec(config)).map(([name, { shape, init }]): [string, TensorSource] => {
    const size = shape.reduce((product, length) => product * length, 1);
    return [name, { dtype: 'F32', shape, read: () => ({ dtype: 'F32', shape, data: init(size, stream(0, `init/${name}`, 0)) }) }];
  });
  writeSafetensors(path, new Map(tensors));
}
