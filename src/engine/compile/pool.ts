/** Things that are costly to make, kept while nobody uses them. */
export interface Pool<T> {
  /** One that was kept under this key, and is no longer: it has one user. */
  take(key: string): T | undefined;
  keep(key: string, value: T): void;
}

/** @param most how many are kept; `drop` gets the one that has been idle longest */
export function createPool<T>({ most, drop }: { readonly most: number; readonly drop: (value: T) => void }): Pool<T> {
  const idle: { readonly key: string; readonly value: T }[] = [];
  return {
    take: key => {
      const found = idle.findLastIndex(entry => entry.key === key);
      return found < 0 ? undefined : idle.splice(found, 1)[0]!.value;
    },
    keep: (key, value) => {
      idle.push({ key, value });
      if (idle.length > most) drop(idle.shift()!.value);
    },
  };
}
