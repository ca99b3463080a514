/** Hook of Node's module loader for declarations; see `esModules`. It may run in the thread of the hooks, which sees nothing of ours. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const SOURCES = new URL('../../', import.meta.url).href;
const NAME = 'tinymim-ablations';

const require = createRequire(import.meta.url);

/** @type {import('./module-hook.d.mts').Project[]} */
const projects = [];

/** @type {typeof import('./module-hook.d.mts').initialize} */
export function initialize(project) {
  projects.push(project);
}

export function resolve(specifier, context, next) {
  const resolved = next(ownModule(specifier, context.parentURL), context);
  return resolved instanceof Promise ? resolved.then(asEsModule) : asEsModule(resolved);
}

/** Our name means this very package, wherever it was started from: not another copy, and not nothing where none is installed. */
function ownModule(specifier, parent) {
  const ours = specifier === NAME || specifier.startsWith(`${NAME}/`);
  if (!ours || parent === undefined || parent.startsWith(SOURCES) || !projects.some(({ root }) => parent.startsWith(root))) return specifier;
  return pathToFileURL(require.resolve(specifier)).href;
}

/** How tsx marks what it takes for CommonJS; on Node 20 it loads by these marks, whatever the format. */
const COMMONJS_MARKS = /(?:%3F|\?)tsx-commonjs-.*$/;

function asEsModule(resolved) {
  const url = resolved.url.replace(COMMONJS_MARKS, '');
  const theirs = projects.some(({ root, esModules }) => {
    const below = esModules && url.startsWith(root) ? url.slice(root.length) : undefined;
    return below !== undefined && !below.includes('node_modules/') && /\.[jt]s(\?|$)/.test(below);
  });
  return theirs && resolved.format !== 'module' ? { ...resolved, url, format: 'module' } : resolved;
}
