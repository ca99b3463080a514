/** The encoder of a pre-training as a teacher that a profile names (`teachers.L.path`): small enough to lie beside declarations. */
import { basename, join } from 'node:path';
import { PermanentError } from '../../core/ablation/errors.ts';
import type { Exporter } from '../../core/ablation/kind.ts';
import { toFloat16, writeSafetensors, type StoredTensor } from '../../engine/formats/safetensors.ts';
import { readEncoder } from '../checkpoints/read.ts';
import { encoderSpec, maeSpec } from '../nn/spec.ts';
import { readChecked } from './export.ts';
import type { PretrainRecipe } from './recipes.ts';
import { WEIGHTS } from './stage-io.ts';

const INFINITE = 0x7c00;

/** @throws PermanentError for a weight that float16 cannot hold */
export const exportTeacher: Exporter<PretrainRecipe> = ({ recipe: { model, decoder }, output, path, origin }) => {
  const file = join(output, WEIGHTS);
  const weights = readChecked(file, () => maeSpec(model, decoder));
  const tensors = Object.keys(encoderSpec(model)).map((name): [string, StoredTensor] => {
    const { shape, data } = weights[name]!;
    const halves = toFloat16(data);
    const beyond = halves.findIndex(half => (half & INFINITE) === INFINITE);
    if (beyond >= 0) throw new PermanentError('NOT_FLOAT16', `${file}: expected weights that float16 can hold, got ${data[beyond]} in "${name}". It cannot be a teacher beside declarations.`);
    return [name, { dtype: 'F16', shape, data: halves }];
  });
  writeSafetensors(path, new Map(tensors), { ...origin, format: 'pt' });
  const { sha256 } = readEncoder(path); // as a profile's plan will read it
  return Promise.resolve({
    usage: [`{ path: 'teachers/${basename(path)}', sha256: '${sha256}' }`],
    notes: ['The encoder without its decoder, rounded to float16: students learn from the file, not from the stage.', 'Put it where the path says, from the folder of the declarations.'],
    facts: { sha256, dtype: 'F16', tensors: tensors.length },
  });
};
