/** Hook of Node's module loader, in the thread of the hooks: JavaScript and TypeScript below `root` are ES modules; see `esModules`. */
let root = '';

/** @param {{ readonly root: string }} data URL of a folder, with a slash at its end */
export function initialize(data) {
  root = data.root;
}

export async function resolve(specifier, context, next) {
  const resolved = await next(specifier, context);
  const below = resolved.url.startsWith(root) ? resolved.url.slice(root.length) : undefined;
  const theirs = below !== undefined && !below.includes('node_modules/') && /\.[jt]s(\?|$)/.test(below);
  return theirs && resolved.format !== 'module' ? { ...resolved, format: 'module' } : resolved;
}
