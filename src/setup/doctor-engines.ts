/** Findings about the engines: which one a sweep would run on, whether each works, and what set-up needs to provide them. */
import { existsSync } from 'node:fs';
import os from 'node:os';
import { cachedBinding, compilerMend, enginePackage, findCompiler } from './binding.ts';
import { cacheProblems } from './cache-manifest.ts';
import { cacheDir } from './cache.ts';
import type { EngineChoice } from './choice.ts';
import { cpuName, type DeviceChoice } from './device.ts';
import type { Check } from './diagnosis.ts';
import { SetupError } from './errors.ts';
import { listedGpus } from './gpus.ts';
import { isPublished, libraryFor, thisPlatform, type Library } from './library.ts';
import { isCheckout, SETUP } from '../installation.ts';
import { requirePip } from './python.ts';
import { tryEngine, type Trial } from './try-engine.ts';
import { unpackedFolder } from './wheel.ts';

/** `engine`, `native`, `wasm`, `pip`, `compiler`, `device`. `deep` also reads every byte of the native library. */
export async function checkEngines(choice: EngineChoice, deep: boolean): Promise<Check[]> {
  const library = isPublished(thisPlatform(), choice.device.device) ? libraryFor(thisPlatform(), choice.device.device) : undefined;
  const [native, wasm] = await Promise.all([checkNative(choice, library, deep), checkWasm(choice)]);
  const chosen = choice.engine === 'wasm' ? wasm : native;
  return [engineCheck(choice, chosen), native, wasm, ...(await checkTools(choice, library)), await deviceCheck(choice.device)];
}

/** Whether somebody has run an engine on this platform and device. WebAssembly is the same everywhere. */
export function isTested({ engine, device }: EngineChoice): boolean {
  return engine === 'wasm' || (isPublished(thisPlatform(), device.device) && libraryFor(thisPlatform(), device.device).untested === undefined);
}

function engineCheck(choice: EngineChoice, { state, mend }: Check): Check {
  const text =
    choice.engine === 'tensorflow'
      ? `native TensorFlow (${choice.why})`
      : choice.slower === undefined
        ? `WebAssembly (${choice.why})`
        : `WebAssembly: ${choice.slower}; no native TensorFlow here: ${choice.why}`;
  return { name: 'engine', state, text, ...(mend !== undefined && state !== 'ok' && { mend }) };
}

/** Where a sweep would not run on an engine, one that does not work is no harm. */
const unlessChosen = (isChosen: boolean, state: 'missing' | 'ok'): Check['state'] => (state === 'missing' && !isChosen ? 'optional' : state);

async function checkNative(choice: EngineChoice, library: Library | undefined, deep: boolean): Promise<Check> {
  const isChosen = choice.engine === 'tensorflow',
    name = 'native';
  if (choice.slower !== undefined || library === undefined) {
    return { name, state: 'optional', text: choice.slower === undefined ? `not published for ${thisPlatform()}` : choice.why, mend: choice.mend ?? 'ENGINE=wasm' };
  }
  const folder = unpackedFolder(cacheDir(), library.key);
  const problems = await cacheProblems(folder, [library.wheel], deep);
  const trial = await tryEngine('tensorflow', choice.device.device, os.availableParallelism());
  const details = { package: library.package, version: library.version, library: folder, problems, tested: library.untested === undefined };
  const { works, text } = trialText(trial, `TensorFlow ${library.version}`);
  const untested = library.untested === undefined ? '' : `; untested: ${library.untested}${library.device === 'gpu' && isCheckout ? ' (`make gpu-check` tries it)' : ''}`;
  if (works && problems[0] !== undefined && problems[0] !== 'missing') {
    return { name, state: unlessChosen(isChosen, 'missing'), text: `${text}; but its library is damaged: ${problems.join(', ')}`, mend: 'npx ablate setup --engine --deep', details };
  }
  return { name, state: unlessChosen(isChosen, works ? 'ok' : 'missing'), text: text + untested, ...(!works && { mend: SETUP }), details: { ...details, ...trial } };
}

async function checkWasm({ engine }: EngineChoice): Promise<Check> {
  const trial = await tryEngine('wasm', 'cpu', 1);
  const { works, text } = trialText(trial, 'WebAssembly');
  return {
    name: 'wasm',
    state: unlessChosen(engine === 'wasm', works ? 'ok' : 'missing'),
    text,
    ...(!works && { mend: isCheckout ? 'npm ci --ignore-scripts' : 'npm install --ignore-scripts' }),
    details: { ...trial },
  };
}

function trialText(trial: Trial, title: string): { works: boolean; text: string } {
  if ('failure' in trial) return { works: false, text: trial.failure.trim().replace(/ Run `[^`]+`.*$/, '') };
  const { engine, toy } = trial;
  if (!toy.ok) return { works: false, text: `${title}: a toy step trained to a loss of ${toy.lastLoss} from ${toy.firstLoss}` };
  return { works: true, text: `${title} on the ${engine.device.toUpperCase()}, tfjs ${engine.tfjsVersion}; trains (30 toy steps in ${Math.round(toy.ms)} ms)` };
}

/** Only the first set-up of the native engine needs these; where they are missing after it, or for WebAssembly, nothing is wrong. */
async function checkTools(choice: EngineChoice, library: Library | undefined): Promise<Check[]> {
  const isNeeded = choice.engine === 'tensorflow' && library !== undefined;
  const isUnpacked = !isNeeded || (await cacheProblems(unpackedFolder(cacheDir(), library.key), [library.wheel])).length === 0;
  const isCompiled = !isNeeded || existsSync(cachedBinding(cacheDir(), library, enginePackage().version));
  const compiler = await findCompiler();
  return [
    await pipCheck(isUnpacked),
    compiler
      ? { name: 'compiler', state: 'ok', text: compiler.version, details: compiler }
      : { name: 'compiler', state: isCompiled ? 'optional' : 'missing', text: 'no C++ compiler on the PATH', mend: compilerMend() },
  ];
}

async function pipCheck(isUnpacked: boolean): Promise<Check> {
  try {
    const { python, pip } = await requirePip();
    return { name: 'pip', state: 'ok', text: `Python ${python}, pip ${pip}`, details: { python, pip } };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { name: 'pip', state: isUnpacked ? 'optional' : 'missing', text: error.reason, mend: error.mend };
  }
}

async function deviceCheck({ device, why, gpus, unusable }: DeviceChoice): Promise<Check> {
  const cores = os.availableParallelism(),
    cpu = cpuName();
  const text = `${device === 'gpu' ? `GPU (${why}), ` : ''}${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}${device === 'cpu' ? `; ${why}` : ''}`;
  const details = { device, why, gpus, listed: (await listedGpus()).map(gpu => gpu.name), cpu, cores };
  return unusable === undefined
    ? { name: 'device', state: 'ok', text, details }
    : { name: 'device', state: device === 'gpu' ? 'missing' : 'optional', text, mend: `mend the driver (see nvidia-smi), or say that the CPU is meant: export TINYMIM_DEVICE=cpu`, details };
}
