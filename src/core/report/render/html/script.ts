/** The page's script, bundled when a report is written: the same bytes for the same versions of the packages, on every machine. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const require = createRequire(import.meta.url);

/** Parts of Vega are found from Vega: the versions that it was released with, wherever they are installed. */
const partsOfVega: Plugin = {
  name: 'parts-of-vega',
  setup(bundler) {
    const resolveDir = dirname(require.resolve('vega'));
    bundler.onResolve({ filter: /^vega-/ }, ({ path, kind, pluginData }) =>
      path === 'vega-interpreter' || pluginData === resolveDir ? undefined : bundler.resolve(path, { kind, resolveDir, pluginData: resolveDir }),
    );
  },
};

const NOTICE = '/* Holds parts of Vega (BSD-3-Clause, Copyright University of Washington Interactive Data Lab) and D3 (ISC). */';

let bundled: Promise<string> | undefined;

/** JavaScript without `eval`, to stand inline in a page under a policy that knows it by its hash. */
export const pageScript = (): Promise<string> => (bundled ??= bundle());

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page/main.ts', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'none',
    banner: { js: NOTICE },
    tsconfigRaw: '{}',
    write: false,
    logLevel: 'silent',
    plugins: [partsOfVega],
  });
  return outputFiles[0]!.text.trim();
}
