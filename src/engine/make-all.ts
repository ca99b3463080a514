/** Things by name that `make` gives one after the other. When one fails, those before it are freed: memory that has run out is needed elsewhere. */
export function makeAll<A, B extends { dispose(): void }>(from: Readonly<Record<string, A>>, make: (value: A) => B): Record<string, B> {
  const made: Record<string, B> = {};
  try {
    for (const [name, value] of Object.entries(from)) made[name] = make(value);
    return made;
  } catch (error) {
    for (const one of Object.values(made)) one.dispose();
    throw error;
  }
}
