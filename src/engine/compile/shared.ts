/** Things that are costly to make: shared by all who use them at a time, and kept for a while when nobody does. */
export interface Shared<T> {
  /** What stands under this key, or `make` puts there; its user gives it back with `release`. */
  take(key: string, make: () => T): T;
  release(key: string): void;
}

/** @param most how many are kept that nobody uses; `drop` gets the one that has been idle longest */
export function createShared<T>({ most, drop }: { readonly most: number; readonly drop: (value: T) => void }): Shared<T> {
  const entries = new Map<string, { readonly value: T; users: number }>();
  return {
    take: (key, make) => {
      const entry = entries.get(key) ?? { value: make(), users: 0 };
      entry.users += 1;
      entries.set(key, entry);
      return entry.value;
    },
    release: key => {
      const entry = entries.get(key)!;
      entry.users -= 1;
      entries.delete(key); // the last one released stands last
      entries.set(key, entry);
      const idle = [...entries].filter(([, { users }]) => users === 0);
      for (const [oldest, { value }] of idle.slice(0, Math.max(0, idle.length - most))) {
        entries.delete(oldest);
        drop(value);
      }
    },
  };
}
