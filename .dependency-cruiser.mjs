/**
 * The architecture as one table, which `make lint` holds against every import: type-only ones, `import()` and `.mjs` files included.
 * A folder may import itself and what its row names, a folder without those below it, or one file; nothing else of ours. There is no circle
 * between files. `test/unit/architecture.test.ts` fails where a folder has no row. The way down in words: src/README.md.
 */

/** What the stages of a study need of the core. */
const CONTRACT = ['declaration', 'define', 'kind', 'json', 'errors', 'as-before'].map(name => `src/core/ablation/${name}.ts`);
const INSTALLATION = 'src/installation.ts';
/** How Node runs our TypeScript: for entries of processes and threads, and for loading declarations. */
const START = 'src/start';

/** The core knows no Vision Transformer and no engine. */
const core = {
  'src/core/ablation': [START],
  'src/core/text': ['src/core/ablation/kind.ts'],
  'src/core/code': ['src/core/ablation', INSTALLATION],
  'src/core/plan': ['src/core/ablation', 'src/core/code'],
  'src/core/disk': ['src/core/ablation/errors.ts'],
  'src/core/store': ['src/core/ablation', 'src/core/disk', 'src/core/text'],
  'src/core/runner': ['src/core/ablation', 'src/core/code', 'src/core/plan', 'src/core/store', 'src/core/text', 'src/core/runner/executors', START, INSTALLATION],
  'src/core/runner/executors': ['src/core/ablation', 'src/core/code', 'src/core/store', 'src/core/runner'],
  'src/core/slurm': ['src/core/ablation', 'src/core/plan', 'src/core/store', 'src/core/text', 'src/core/runner'],

  'src/core/command': ['src/core/ablation', 'src/core/runner', 'src/core/store', 'src/core/text'],
  'src/core/inspect': [
    'src/core/ablation',
    'src/core/code',
    'src/core/plan',
    'src/core/store',
    'src/core/text',
    'src/core/runner',
    'src/core/report/records',
    'src/core/report/statistics',
    'src/core/report/model',
    INSTALLATION,
  ],
};

/** From records to files, one direction: what a renderer prints is decided in the model. */
const report = {
  'src/core/report/records': ['src/core/ablation', 'src/core/disk', 'src/core/plan', 'src/core/store', 'src/core/text'],
  'src/core/report/statistics': [],
  'src/core/report/model': ['src/core/ablation', 'src/core/plan', 'src/core/text', 'src/core/report/records', 'src/core/report/statistics'],
  'src/core/report/tables': ['src/core/text', 'src/core/report/statistics', 'src/core/report/model'],
  'src/core/report/charts/vega': ['src/core/text'],
  'src/core/report/charts/svg': ['src/core/report/charts/vega'],
  'src/core/report/charts': ['src/core/text', 'src/core/report/statistics', 'src/core/report/model', 'src/core/report/tables', 'src/core/report/charts/vega', 'src/core/report/charts/svg'],
  'src/core/report/render': ['src/core/ablation', 'src/core/text', 'src/core/report/model', 'src/core/report/tables', 'src/core/report/charts', 'src/core/report/render/outline'],
  'src/core/report/render/html/page': ['src/core/report/charts/vega'],
  'src/core/report/render/outline': ['src/core/text', 'src/core/report/model', 'src/core/report/tables', 'src/core/report/charts'],
  'src/core/report/render/html': [
    'src/core/text',
    'src/core/report/statistics',
    'src/core/report/model',
    'src/core/report/tables',
    'src/core/report/charts',
    'src/core/report/charts/vega',
    'src/core/report/charts/svg',
    'src/core/report/render/outline',
    'src/core/report/render/html/page',
  ],
  'src/core/report/baseline': [
    'src/core/ablation',
    'src/core/code',
    'src/core/disk',
    'src/core/plan',
    'src/core/store',
    'src/core/text',
    'src/core/report/records',
    'src/core/report/statistics',
    'src/core/report/model',
    'src/core/report/tables',
    'src/core/report/charts',
    'src/core/report/render',
    'src/core/report/render/outline',
  ],
  'src/core/report': [
    'src/core/ablation',
    'src/core/disk',
    'src/core/text',
    'src/core/report/records',
    'src/core/report/model',
    'src/core/report/charts',
    'src/core/report/charts/svg',
    'src/core/report/render',
    'src/core/report/render/html',
    'src/core/report/baseline',
  ],
};

const engine = {
  'src/engine/random': [],
  'src/engine/formats/pytorch': ['src/engine/formats'],
  'src/engine/formats': ['src/engine', 'src/engine/formats/pytorch'],
  'src/engine/backends/wasm': ['src/engine'],
  'src/engine/backends': ['src/engine', 'src/engine/compile', 'src/engine/backends/wasm', INSTALLATION],
  'src/engine/grad': ['src/engine', 'src/engine/compile'],
  'src/engine/compile': ['src/engine', 'src/engine/formats', 'src/engine/random'],
  'src/engine': ['src/engine/backends', 'src/engine/random'],
};

/** The study: of the core it needs the contract alone. */
const tinymim = {
  'src/tinymim/data/decode': ['src/tinymim/data'],
  'src/tinymim/data/folder': [...CONTRACT, 'src/engine/random', 'src/tinymim/data', 'src/tinymim/data/decode', START],
  'src/tinymim/data/corrupt': ['src/engine/random', 'src/tinymim/data'],
  'src/tinymim/data/scenes': [...CONTRACT, 'src/engine/random', 'src/tinymim/data', 'src/tinymim/data/folder'],
  'src/tinymim/data': [...CONTRACT, 'src/engine/binding.ts', 'src/engine/random', 'src/tinymim/data/corrupt', 'src/tinymim/data/folder', 'src/tinymim/data/scenes', START],
  'src/tinymim/nn': ['src/engine', 'src/engine/compile', 'src/engine/formats', 'src/engine/grad', 'src/engine/random'],
  'src/tinymim/distill': ['src/engine', 'src/engine/compile', 'src/engine/formats', 'src/engine/grad', 'src/tinymim/nn'],
  'src/tinymim/optim': ['src/engine', 'src/engine/compile', 'src/engine/formats'],
  'src/tinymim/checkpoints': [...CONTRACT, 'src/engine/formats', 'src/engine/formats/pytorch', 'src/tinymim/nn'],
  'src/tinymim/stages/segment': [
    ...CONTRACT,
    'src/engine',
    'src/engine/formats',
    'src/engine/grad',
    'src/engine/random',
    'src/tinymim/data',
    'src/tinymim/data/scenes',
    'src/tinymim/nn',
    'src/tinymim/optim',
    'src/tinymim/stages',
  ],
  'src/tinymim/stages': [
    ...CONTRACT,
    'src/engine',
    'src/engine/compile',
    'src/engine/formats',
    'src/engine/grad',
    'src/engine/random',
    'src/tinymim/checkpoints',
    'src/tinymim/data',
    'src/tinymim/nn',
    'src/tinymim/distill',
    'src/tinymim/optim',
    'src/tinymim/stages/segment',
  ],
  'src/tinymim/witness': [...CONTRACT, 'src/core/command/command-stage.ts', 'src/tinymim/data', 'src/tinymim/stages'],
  'src/tinymim': [
    ...CONTRACT,
    'src/tinymim/checkpoints',
    'src/tinymim/data',
    'src/tinymim/data/folder',
    'src/tinymim/data/scenes',
    'src/tinymim/distill',
    'src/tinymim/nn',
    'src/tinymim/stages',
    'src/tinymim/stages/segment',
    'src/tinymim/witness',
  ],
};

/** Nothing imports the command line. */
const cli = {
  'src/cli/terminal': ['src/core/ablation', 'src/core/plan', 'src/core/runner', 'src/core/slurm', 'src/core/inspect', 'src/core/text'],
  'src/cli/options': [
    'src/core/ablation',
    'src/core/plan',
    'src/core/store',
    'src/core/runner',
    'src/core/slurm',
    'src/core/inspect',
    'src/core/text',
    'src/core/report/model',
    'src/setup',
    'src/cli/terminal',
  ],
  'src/cli/sweep': [
    'src/core/ablation',
    'src/core/plan',
    'src/core/store',
    'src/core/runner',
    'src/core/runner/executors',
    'src/core/slurm',
    'src/core/text',
    'src/setup',
    'src/cli/terminal',
    'src/cli/options',
  ],
  'src/cli/report': [
    'src/core/ablation',
    'src/core/disk',
    'src/core/plan',
    'src/core/store',
    'src/core/text',
    'src/core/report',
    'src/core/report/records',
    'src/core/report/model',
    'src/core/report/render',
    'src/core/report/baseline',
    'src/cli/terminal',
  ],
  'src/cli/completion': ['src/core/ablation', 'src/setup', 'src/cli/options', 'src/cli/terminal'],
  'src/cli/commands': [
    'src/core/ablation',
    'src/core/plan',
    'src/core/store',
    'src/core/runner',
    'src/core/runner/executors',
    'src/core/slurm',
    'src/core/inspect',
    'src/core/text',
    'src/core/report/folder.ts',
    'src/setup',
    'src/cli/terminal',
    'src/cli/options',
    'src/cli/report',
    'src/cli/sweep',
  ],
  'src/cli': ['src/core/ablation', 'src/cli/commands', 'src/cli/completion', 'src/cli/terminal', START],
};

/** @type {Readonly<Record<string, readonly string[]>>} */
export const MAY_IMPORT = {
  ...core,
  ...report,
  ...engine,
  ...tinymim,
  'src/setup': ['src/core/ablation/errors.ts', 'src/engine', 'src/tinymim/data', 'src/tinymim/data/folder', 'src/tinymim/data/scenes', INSTALLATION, START],
  ...cli,
  [START]: [],
  src: ['src/core/ablation', 'src/core/command', 'src/core/inspect/open-store.ts', 'src/core/inspect/stored-verdict.ts'],
  experiments: ['src', 'src/tinymim', 'src/core/ablation/problems.ts'],
  'experiments/ablations': ['experiments', 'src', 'src/tinymim'],
  'experiments/profiles': ['experiments', 'src', 'src/tinymim'],
};

const escaped = path => path.replaceAll('.', '\\.');
/** Files of a folder without those below it; or one file. */
const filesOf = path => (path.endsWith('.ts') ? `^${escaped(path)}$` : `^${path}/[^/]+$`);
const OURS = '^(src|experiments)/';
const folders = Object.keys(MAY_IMPORT).map(filesOf);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(([folder, others]) => ({
      name: folder,
      comment: `${folder} may import itself, ${[...others, 'packages'].join(', ')}: see the table in .dependency-cruiser.mjs.`,
      severity: 'error',
      from: { path: filesOf(folder) },
      to: { path: OURS, pathNot: [filesOf(folder), ...others.map(filesOf)] },
    })),
    { name: 'no-row', comment: 'Every folder has a row in the table of .dependency-cruiser.mjs.', severity: 'error', from: { path: OURS, pathNot: folders }, to: {} },
    { name: 'no-circle', comment: 'Files that need each other are one file, or have a third in common.', severity: 'error', from: {}, to: { circular: true } },
    // `<reference types="node" />` is for the compiler alone.
    { name: 'not-found', comment: 'An import that leads nowhere.', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^node$' } },
  ],
  options: {
    // The study that `ablate init` writes stands for one of its own.
    exclude: { path: '^src/cli/init/' },
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'], extensions: ['.ts', '.mjs', '.js', '.json'] },
  },
};
