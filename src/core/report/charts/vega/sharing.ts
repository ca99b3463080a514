/**
 * Values that have much in common, as data that holds each common part once: the compiled specifications of a page's charts
 * repeat each other but for their numbers.
 */

/** Key of an object that stands for a part in the pool. */
const REFERENCE = '';

export interface Shared {
  readonly pool: readonly unknown[];
  readonly values: readonly unknown[];
}

/** A distinct part: a text or number, or an array or object of other parts. */
interface Part {
  /** As JSON, for what has no parts. */
  readonly text?: string;
  readonly keys?: readonly string[];
  readonly parts: readonly number[];
  /** Places in distinct parts and values that hold it. */
  uses: number;
}

/** About the length of a reference. */
const REFERENCE_LENGTH = 9;

/**
 * @param values anything that JSON can hold; keys that are empty cannot be told from references
 * @throws Error at an empty key
 */
export function share(values: readonly unknown[]): Shared {
  const parts = new Parts();
  const roots = values.map(value => parts.add(value));
  for (const root of roots) parts.all[root]!.uses += 1;
  const inPool = worthSharing(parts.all);
  // The most used ones get the shortest numbers.
  const order = [...inPool].sort((a, b) => parts.all[b]!.uses - parts.all[a]!.uses || a - b);
  const places = new Map(order.map((id, place) => [id, place]));
  const write = (id: number): unknown => (places.has(id) ? { [REFERENCE]: places.get(id)! } : spell(id));
  const spell = (id: number): unknown => {
    const { text, keys, parts: inner } = parts.all[id]!;
    if (text !== undefined) return JSON.parse(text) as unknown;
    return keys === undefined ? inner.map(write) : Object.fromEntries(keys.map((key, i) => [key, write(inner[i]!)]));
  };
  return { pool: order.map(spell), values: roots.map(write) };
}

/** Parts that are longer, as often as they stand, than their references. Parts come after what they are made of. */
function worthSharing(parts: readonly Part[]): ReadonlySet<number> {
  const shared = new Set<number>();
  const lengths: number[] = [];
  parts.forEach(({ text, keys, parts: inner, uses }, id) => {
    const own = text?.length ?? 2 + inner.length + (keys ?? []).reduce((sum, key) => sum + key.length + 3, 0);
    const length = inner.reduce((sum, part) => sum + (shared.has(part) ? REFERENCE_LENGTH : lengths[part]!), own);
    lengths.push(length);
    if (uses * length > uses * REFERENCE_LENGTH + length + 1) shared.add(id);
  });
  return shared;
}

class Parts {
  readonly all: Part[] = [];
  readonly #known = new Map<string, number>();

  add(value: unknown): number {
    if (Array.isArray(value)) return this.#addCompound(value.map(item => this.add(item)));
    if (typeof value !== 'object' || value === null) {
      const text = JSON.stringify(value ?? null);
      return this.#known.get(text) ?? this.#insert(text, { text, parts: [], uses: 0 });
    }
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    const keys = entries.map(([key]) => key);
    if (keys.includes(REFERENCE)) throw new Error('Expected keys that are not empty in values to share, got an empty one.');
    return this.#addCompound(
      entries.map(([, inner]) => this.add(inner)),
      keys,
    );
  }

  #addCompound(parts: readonly number[], keys?: readonly string[]): number {
    const name = keys === undefined ? `[${parts.join()}]` : `{${keys.map((key, i) => `${JSON.stringify(key)}:${parts[i]!}`).join()}}`;
    const known = this.#known.get(`#${name}`);
    if (known !== undefined) return known;
    for (const part of parts) this.all[part]!.uses += 1;
    return this.#insert(`#${name}`, { ...(keys === undefined ? {} : { keys }), parts, uses: 0 });
  }

  #insert(name: string, part: Part): number {
    const id = this.all.push(part) - 1;
    this.#known.set(name, id);
    return id;
  }
}

/** A value as it was, and a copy that is the reader's own. */
export function unshare({ pool, values }: Shared, index: number): unknown {
  const open = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(open);
    if (typeof node !== 'object' || node === null) return node;
    const reference = (node as Readonly<Record<string, unknown>>)[REFERENCE];
    return reference === undefined ? Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, open(inner)])) : open(pool[reference as number]);
  };
  return open(values[index]);
}
