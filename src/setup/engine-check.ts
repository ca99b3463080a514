/** Child process of `ablate doctor`: loads the engine as a worker does, trains a toy step, prints one line of JSON. */
import { loadEngine, type Device } from '../tensor/backend.ts';
import { toyStep } from '../tensor/selftest.ts';

const [device, threads] = process.argv.slice(2);
try {
  const engine = await loadEngine({ device: device as Device, threads: Number(threads) });
  process.stdout.write(`${JSON.stringify({ engine, toy: toyStep() })}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ failure: (error as Error).message })}\n`);
  process.exitCode = 1;
}
