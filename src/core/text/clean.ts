/** Labels and reasons come from declarations and logs: this is what makes them one harmless line of text. */

// C0 and C1 controls, and the marks that reorder text: a label must not be able to hide or reverse its neighbours.
// eslint-disable-next-line no-control-regex
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff]+/g;

// C0 without tab and newline, C1, and the marks that reorder text: what a terminal would obey instead of showing it.
// eslint-disable-next-line no-control-regex
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Lines that a terminal only shows. Each character that it would obey becomes U+FFFD; a carriage return, behind which a line is written over, ends the line. */
export const harmless = (text: string): string => text.replace(/\r\n?/g, '\n').replace(OBEYED, '\ufffd');

/** JSON that a terminal only shows, and that means the same: what it would obey is escaped. */
export const harmlessJson = (json: string): string => json.replace(OBEYED, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** One line without control characters or runs of spaces. */
export const oneLine = (text: string): string => text.replace(INVISIBLE, ' ').replace(/ +/g, ' ').trim();

// An absolute path starts the text or follows something that cannot be part of one (so `a/b` and `1/2` stay).
const PATH = /(?<![\w.~/\\:-])(?:file:\/\/)?(?:~|[A-Za-z]:)?(?:[\\/][\w.@+~-]+){2,}[\\/]?/g;

/** Removes what ties a message to one machine: absolute paths keep their last part, the host's name goes. */
export function redact(text: string, host: string): string {
  const withoutPaths = text.replace(PATH, path => `…/${path.split(/[\\/]/).filter(Boolean).at(-1) ?? ''}`);
  return host === '' ? withoutPaths : withoutPaths.replaceAll(host, 'host');
}

/** Cuts a long text at `limit` characters. */
export const shorten = (text: string, limit: number): string => (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`);

/** A name as part of a file name or an anchor. */
export const slug = (name: string): string => name.replace(/[^A-Za-z0-9_-]+/g, '-');
