/** How many threads load the images of a process. In a variable, as what enters no recipe: no batch depends on it. */
export const LOADERS = 'TINYMIM_LOADERS';

export function loadersOfProcess(env: NodeJS.ProcessEnv = process.env): number {
  const given = Number(env[LOADERS] ?? 1);
  return Number.isInteger(given) && given >= 1 ? given : 1;
}
