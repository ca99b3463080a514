/** A graph in the engine: loaded once, run many times, and kept for the next that needs the same graph. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as tf from '../tf.ts';
import { CompileError } from './errors.ts';
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

/**
 * A session of its own, which shares no variable with any other in use. Its variables have no values yet, or those of an
 * earlier user of the same graph: write them first. (Loading a graph and optimising it at its first run takes longer than
 * recording it; arms of one study have equal graphs.)
 */
export function openSession(nodes: readonly GraphNode[]): Session {
  const bytes = savedModel(nodes);
  const key = createHash('sha256').update(bytes).digest('hex');
  const backend = nativeBackend();
  const { id, size } = takeIdle(key) ?? { id: load(bytes), size: variableBytes(nodes) };
  let open = true;
  return {
    run: (feeds, fetches) => {
      if (!open) throw new CompileError('ENGINE', 'Expected a session in use, got one that was disposed of.');
      return backend.runSavedModel(id, Object.values(feeds), Object.keys(feeds).map(node => ({ name: firstOutput(node) })), fetches.map(firstOutput));
    },
    dispose: () => {
      if (open) keepIdle({ key, id, size });
      open = false;
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

interface IdleSession {
  /** Hash of the graph. */
  readonly key: string;
  readonly id: number;
  /** Bytes of its variables, which stay as they are. */
  readonly size: number;
}

/** Sessions that nobody uses, the longest idle first. */
const idle: IdleSession[] = [];
const MOST_IDLE = 8, MOST_IDLE_BYTES = 256 * 2 ** 20;

function takeIdle(key: string): IdleSession | undefined {
  const found = idle.findIndex(session => session.key === key);
  return found < 0 ? undefined : idle.splice(found, 1)[0];
}

function keepIdle(session: IdleSession): void {
  idle.push(session);
  while (idle.length > MOST_IDLE || idle.reduce((total, { size }) => total + size, 0) > MOST_IDLE_BYTES) {
    nativeBackend().deleteSavedModel(idle.shift()!.id);
  }
}

/** All dtypes of variables take 4 bytes, or fewer. */
function variableBytes(nodes: readonly GraphNode[]): number {
  return nodes.filter(({ op }) => op === 'VarHandleOp').reduce((total, { attributes: { shape } }) =>
    total + 4 * (shape!.value as readonly number[]).reduce((a, b) => a * b, 1), 0);
}
