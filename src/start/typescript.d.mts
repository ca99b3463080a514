/**
 * Imports a TypeScript module of ours, and lets all that follows load as it does. For entries: they are JavaScript.
 * @param url of the source
 */
export function importOwn(url: URL): Promise<Record<string, unknown>>;

/** Finds or makes the copy that `importOwn` and `ownUrl` lead to. Called again, it does nothing. */
export function startTypeScript(): Promise<void>;

/** What to import for the source `url`: itself, or what the copy has of it. */
export function ownUrl(url: string): string;

/** Lets Node load TypeScript that is not ours. Does nothing before `startTypeScript`, as in unit tests: there TypeScript loads already. */
export function allowTypeScript(): Promise<void>;

export { sourceOf } from './copy-hook.mjs';
