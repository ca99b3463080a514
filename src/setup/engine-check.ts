/** Child process of set-up and `ablate doctor`: loads an engine as a worker does, trains a toy step, prints one line of JSON. */
import { loadEngine, type Device, type EngineName } from '../engine/backend.ts';
import { toyStep } from '../engine/selftest.ts';

const [engine, device, threads] = process.argv.slice(2);
try {
  const loaded = await loadEngine({ engine: engine as EngineName, device: device as Device, threads: Number(threads) });
  process.stdout.write(`${JSON.stringify({ engine: loaded, toy: toyStep() })}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ failure: `    ${(error as Error).message}` })}\n`);
  process.exitCode = 1;
}
