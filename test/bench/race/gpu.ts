/** A race on a GPU is one only if both sides compute there. */
import { SetupError } from '../../../src/setup/errors.ts';
import { listedGpus } from '../../../src/setup/gpus.ts';
import type { PyTorch } from './pytorch.ts';

/** Refuses before anything is fetched or timed. @throws SetupError where the driver sees no GPU */
export async function requireGpu(): Promise<void> {
  const gpus = await listedGpus();
  if (gpus.length > 0) return;
  throw new SetupError('BAD_DEVICE', 'Expected an NVIDIA GPU for a race on the GPU, got none.', 'run it on a machine with a GPU and its driver (nvidia-smi), or race on the CPU: make bench');
}

/** (Our engine asserts the same in each process that loads it.) @throws SetupError where PyTorch would compute on the CPU */
export function requireGpuOf({ gpu, version, python }: Pick<PyTorch, 'python' | 'version' | 'gpu'>): void {
  if (gpu) return;
  throw new SetupError(
    'BAD_DEVICE',
    `Expected a PyTorch that uses the GPU, got ${version} of ${python}, which finds none.`,
    'name a Python whose torch.cuda.is_available() is true: TORCH_PYTHON=/path/to/python make bench-gpu',
  );
}
