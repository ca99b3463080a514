/** `ablate setup`: the engine and the data. The npm packages are there already, else this could not run. */
import type { Command } from 'commander';
import { AblateError } from '../ablation/errors.ts';
import { DataError } from '../data/errors.ts';
import { ensureFashionMnist } from '../data/fashion-mnist.ts';
import { dataDir } from '../setup/cache.ts';
import { ensureEngine } from '../setup/engine.ts';

interface SetupOptions {
  readonly engine?: true;
  readonly data?: true;
  readonly deep?: true;
  readonly quiet?: true;
}

export function registerSetup(program: Command): void {
  program.command('setup')
    .description('provision the engine and the data (all that is missing; nothing is done twice)')
    .option('--engine', 'only the engine')
    .option('--data', 'only the data')
    .option('--deep', 'check the library byte by byte, and take it anew if it is damaged')
    .option('--quiet', 'say nothing when everything is there')
    .addHelpText('after', `
Environment:
  TINYMIM_CACHE    folder for the library and the data (default: tinymim-ablations in the user's cache folder)
  TINYMIM_DEVICE   cpu or gpu: provide for this one (default: gpu if the machine has an NVIDIA GPU)
  CXX              C++ compiler`)
    .action(async (options: SetupOptions) => {
      const all = !options.engine && !options.data;
      if (all || options.engine) await setUpEngine(options);
      if (all || options.data) await setUpData(options);
    });
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function setUpEngine({ deep, quiet }: SetupOptions): Promise<void> {
  const { library, why } = await ensureEngine(say, { deep: deep ?? false });
  if (!quiet) say(`Engine: ${library.package} ${library.version} (${why}).`);
}

async function setUpData({ quiet }: SetupOptions): Promise<void> {
  try {
    await ensureFashionMnist(dataDir(), say);
    if (!quiet) say(`Data: Fashion-MNIST in ${dataDir()}.`);
  } catch (error) {
    // The layer of the data stands below the one with the errors that end a command.
    throw error instanceof DataError ? new AblateError(error.code, error.message, { cause: error }) : error;
  }
}
