/** A graph in the engine: loaded once, run many times. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as tf from '../tf.ts';
import { nativeBackend } from './native.ts';
import { savedModel, TAG, type GraphNode } from './protobuf.ts';

export interface Session {
  /**
   * Runs what is needed to fetch, and returns it in the order of `fetches`; the caller disposes of it.
   * @param feeds values of placeholders, by the names of their nodes
   */
  run(feeds: Readonly<Record<string, tf.Tensor>>, fetches: readonly string[]): tf.Tensor[];
  dispose(): void;
}

/** A session of its own, which shares no variable with any other. Its variables have no values yet: write them first. */
export function openSession(nodes: readonly GraphNode[]): Session {
  const backend = nativeBackend(),
    id = load(savedModel(nodes));
  return {
    run: (feeds, fetches) =>
      backend.runSavedModel(
        id,
        Object.values(feeds),
        Object.keys(feeds).map(node => ({ name: firstOutput(node) })),
        fetches.map(firstOutput),
      ),
    dispose: () => {
      backend.deleteSavedModel(id);
    },
  };
}

const firstOutput = (node: string): string => `${node}:0`;

/** The binding's way in for a graph is a SavedModel on disk. */
function load(bytes: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), 'compiled-step-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), bytes);
    return nativeBackend().loadSavedModelMetaGraph(folder, TAG);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
