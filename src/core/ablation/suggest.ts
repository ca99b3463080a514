import { closest, distance } from 'fastest-levenshtein';

/** `; did you mean 'softmax'?` when a valid name is near, else the list of valid names when it is short, else nothing. */
export function suggest(name: string, valid: readonly string[]): string {
  const near = nearestName(name, valid);
  if (near !== undefined) return `; did you mean '${near}'?`;
  return valid.length > 0 && valid.length <= 12 ? ` (known: ${valid.join(', ')})` : '';
}

/** The valid name within a third of its length (at least 2 edits) of `name`, ignoring case. */
export function nearestName(name: string, valid: readonly string[]): string | undefined {
  if (valid.length === 0) return undefined;
  const near = closest(
    name.toLowerCase(),
    valid.map(v => v.toLowerCase()),
  );
  const found = valid.find(v => v.toLowerCase() === near);
  return found !== undefined && distance(name.toLowerCase(), near) <= Math.max(2, found.length / 3) ? found : undefined;
}
