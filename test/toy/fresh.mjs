/** Hooks of the command server: the declarations of editable studies are read anew by each command line, as tests edit them in between. */

/** Folder of an editable study. What it only links to, as the sources of the program, resolves to elsewhere. */
const EDITABLE = '/ablate-editable-';

/** How many command lines there were. */
let count;

export function initialize({ shared }) {
  count = shared;
}

export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  if (!found.url.includes(EDITABLE)) return found;
  const url = new URL(found.url);
  url.searchParams.set('command', String(Atomics.load(count, 0)));
  return { ...found, url: url.href };
}
