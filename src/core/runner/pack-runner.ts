import type { PackRunner, StageKind } from '../ablation/kind.ts';

/** Loads the code that runs stages of a kind side by side. A stage alone is a pack of one, so that its numbers are those of any pack. */
export async function loadPackRunner(kind: StageKind): Promise<PackRunner> {
  if (kind.packing) return kind.packing.load();
  const run = await kind.load();
  // As many as it is given, though the runner gives such a kind one.
  return contexts => Promise.allSettled(contexts.map(context => run(context)));
}
