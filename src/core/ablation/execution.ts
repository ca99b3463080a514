/**
 * Fields that say how a stage runs, never what comes out. They belong to the command line: in an arm, a profile or a recipe
 * they would enter the key, and the same numbers would be computed twice.
 */

/** By name without `_`, `-` and capitals; the text says where such a thing is chosen. */
const EXECUTION = new Map(
  Object.entries({
    device: 'give it on the command line (--devices)',
    devices: 'give it on the command line (--devices)',
    worker: 'give it on the command line (--devices)',
    workers: 'give it on the command line (--devices)',
    numworkers: 'give it on the command line (--devices)',
    threads: 'give it on the command line (--devices)',
    numthreads: 'give it on the command line (--devices)',
    checkpointevery: 'give it on the command line (--checkpoint-every)',
    store: 'give it on the command line (--store)',
    datadir: 'a stage finds it in `context.execution`',
    outputdir: 'a stage finds it in `context.output`',
    loginterval: 'a stage records as often as it likes',
  }),
);

/** Why `field` cannot be part of a declaration, or undefined. */
export function executionOnly(field: string): string | undefined {
  const where = EXECUTION.get(field.toLowerCase().replaceAll(/[_-]/g, ''));
  return where === undefined ? undefined : `cannot change a number, so it is no part of an arm, a profile or a recipe; ${where}`;
}
