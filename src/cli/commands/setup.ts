/** `ablate setup`: the engine and the data. The npm packages are there already, else this could not run. */
import type { Command } from '@commander-js/extra-typings';
import type { OptionsOf } from '../options/selection.ts';
import { wantedEngine } from '../../setup/choice.ts';
import { UsageError } from '../../core/ablation/errors.ts';
import { ensureData, indexFolder } from '../../setup/data.ts';
import { ensureEngine } from '../../setup/engine.ts';
import { surprises } from '../options/setting.ts';
import { warn } from '../terminal/text.ts';
import { note } from '../terminal/output.ts';

type SetupOptions = OptionsOf<typeof defineSetup>;

const defineSetup = (program: Command) =>
  program
    .command('setup')
    .description('provision the engine and the data (all that is missing; nothing is done twice)')
    .option('--engine', 'only the engine')
    .option('--data [name=folder]', 'only the data; with a name the images of that folder alone: where it lies (imagenet1k=/path) is told once, and it is indexed')
    .option('--leave-out', 'with --data NAME: leave out the images that cannot be read')
    .option('--verify', 'with --data NAME: read and decode every image; a hash of all contents becomes part of the recipes')
    .option('--deep', 'check the library byte by byte, and take it anew if it is damaged')
    .option('--quiet', 'say nothing when everything is there')
    .addHelpText(
      'after',
      `
Environment:
  ENGINE                native (TensorFlow) or wasm (WebAssembly: slower, needs no compiler, no Python and no download); default:
                        native, else wasm where this machine cannot have it
  TINYMIM_CACHE         folder for the library and the data (default: tinymim-ablations in the user's cache folder)
  TINYMIM_DEVICE        cpu or gpu: provide for this one (default: gpu if the machine has an NVIDIA GPU that CUDA can use)
  CUDA_VISIBLE_DEVICES  GPUs that may be used; empty: none
  CXX                   C++ compiler
  <NAME>_DIR            where the folder of images of this name lies, such as IMAGENET1K_DIR`,
    );

export function registerSetup(program: Command): void {
  defineSetup(program).action(async options => {
    const all = !options.engine && !options.data;
    if (typeof options.data !== 'string' && (options.leaveOut === true || options.verify === true)) {
      throw new UsageError('BAD_OPTION', '--leave-out, --verify: expected the name of a folder beside them, as in --data imagenet1k');
    }
    if (all || options.engine) await setUpEngine(options);
    if (typeof options.data === 'string') await setUpFolder(options.data, options);
    else if (all || options.data === true) await setUpData(options);
  });
}

const say = (line: string): void => note(`${line}\n`);

async function setUpEngine({ deep, quiet }: SetupOptions): Promise<void> {
  const choice = await wantedEngine();
  for (const text of surprises(choice)) warn(text);
  const what = await ensureEngine(choice, say, deep);
  if (!quiet) say(`Engine: ${what} (${choice.engine === 'wasm' ? choice.why : choice.device.why}).`);
}

async function setUpData({ quiet }: SetupOptions): Promise<void> {
  const folder = await ensureData(say);
  if (!quiet) say(`Data: Fashion-MNIST in ${folder}.`);
}

const SHOWN = 50;

async function setUpFolder(given: string, { leaveOut, verify, quiet }: SetupOptions): Promise<void> {
  const { folder, found, unreadable, notes, more } = await indexFolder(given, { leaveOut: leaveOut === true, verify: verify === true }, say);
  if (quiet !== true) for (const line of found) say(line);
  for (const text of notes) warn(text);
  for (const { path, why } of unreadable.slice(0, SHOWN)) warn(`${folder}/${path}: ${why}`);
  if (unreadable.length > SHOWN) warn(`and ${unreadable.length - SHOWN} more`);
  if (more !== undefined) {
    warn(more);
    process.exitCode = 1;
  }
}
