/** What is doubtful of stages that run or are done, from the store alone: the same numbers as in the log of their attempts. */
import { canBeDoubtful, doubtfulNumbers, type DoubtfulNumber } from '../ablation/doubtful.ts';
import type { StageKind } from '../ablation/kind.ts';
import { unlessDamaged } from '../store/errors.ts';
import type { StoreReader } from '../store/reader.ts';
import type { Snapshot, StageSnapshot } from './snapshot.ts';

/** By stage, only of those that have any. */
export type Doubts = ReadonlyMap<string, readonly DoubtfulNumber[]>;

/** Looks again and again: what a finished stage came to is read once. */
export class DoubtReader {
  readonly #kinds: ReadonlyMap<string, StageKind>;
  readonly #done = new Map<string, readonly DoubtfulNumber[]>();

  constructor(kinds: readonly StageKind[]) {
    this.#kinds = new Map(kinds.filter(canBeDoubtful).map(kind => [kind.name, kind]));
  }

  of({ stages }: Snapshot, store: StoreReader | undefined): Doubts {
    return new Map(
      stages.flatMap(snapshot => {
        const kind = this.#kinds.get(snapshot.stage.kind);
        const found = kind === undefined || store === undefined ? [] : this.#ofStage(kind, snapshot, store);
        return found.length === 0 ? [] : [[snapshot.stage.key, found] as const];
      }),
    );
  }

  #ofStage(kind: StageKind, { stage: { key }, state }: StageSnapshot, store: StoreReader): readonly DoubtfulNumber[] {
    if (state.state === 'absent') return [];
    if (state.state !== 'done') {
      const curve = unlessDamaged(() => store.curve(key)) ?? [];
      return doubtfulNumbers(kind, Object.fromEntries(curve.flatMap(record => Object.entries(record))));
    }
    const known = this.#done.get(key) ?? doubtfulNumbers(kind, unlessDamaged(() => store.result(key)) ?? {});
    this.#done.set(key, known);
    return known;
  }
}
