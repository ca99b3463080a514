/**
 * Makes a text of somebody else harmless in a comment that a bot of ours writes. Plain JavaScript without packages, as `post-comment.mjs`.
 *
 * GitHub looks for mentions (`@name`), references (`#7`, `GH-7`, `owner/name#7`), hashes of commits and addresses in the texts that Markdown
 * has given, so that neither a backslash nor an entity stops them: an invisible character between their parts does. Of Markdown stay
 * headings, lists, tables, quotes and emphasis, of HTML three tags without attributes. Images, code, formulas and links to elsewhere do not.
 */

/** WORD JOINER: takes no room and breaks no line. */
const BREAK = '\u2060';

// Controls and the marks that hide or reorder text; line ends and tabs stay.
// eslint-disable-next-line no-control-regex
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** What a character becomes wherever it stands. Brackets of links that may stay are not among these. */
const INSTEAD = {
  '<': '&lt;',
  '&': '&amp;',
  '[': '&#91;',
  ']': '&#93;',
  '`': '&#96;',
  '~': '&#126;',
  $: '<span>$</span>',
  '@': `@${BREAK}`,
  '#': `#${BREAK}`,
};

const PARTS = [
  // A link or an image within a line.
  String.raw`(?<!\\)!?\[(?<label>(?:[^[\]\\\n]|\\[^\n])*)\]\((?<url>[^()\s<>\\]*)\)`,
  // What our own comments are made of.
  String.raw`(?<anchor><a id="[\w-]*"><\/a>)`,
  String.raw`(?<tag><\/?sub>|<br>)`,
  String.raw`(?<kept>&(?:amp|lt|gt);|^#{1,6}(?=[ \t])|^> \[!CAUTION\]$)`,
  String.raw`(?<dollar>&#36;)`,
  // Any other: with the backslashes before it, of which one may be its own.
  String.raw`(?<!\\)(?<slashes>\\*)(?<special>[<&[\]${'`'}~$@#])`,
  // Each may have a backslash before its next sign, which Markdown takes away.
  String.raw`(?<broken>:(?=\\?\/\\?\/)|www(?=\\?\.)|GH(?=\\?-)|[0-9a-f]{6}(?=[0-9a-f]))`,
].join('|');

/**
 * @param {string} text
 * @param {readonly string[]} prefixes addresses that links may begin with, each ending in a slash
 * @returns {string}
 */
export function harmless(text, prefixes) {
  return withoutSigns(text.replaceAll('\r\n', '\n').replace(INVISIBLE, ''), prefixes);
}

/**
 * @param {string} text
 * @param {readonly string[]} prefixes
 */
function withoutSigns(text, prefixes) {
  return text.replace(new RegExp(PARTS, 'gim'), (found, ...rest) => {
    const { label, url, anchor, tag, kept, dollar, slashes, special } = rest.at(-1);
    if (kept !== undefined) return found;
    // What stands before must not become one with what stands behind: `!` and a link would be an image.
    if (anchor !== undefined) return BREAK;
    // A tag alone on a line would begin a block of HTML, in which nothing of Markdown is read.
    if (tag !== undefined) return `${BREAK}${found}`;
    if (label !== undefined) {
      const shown = withoutSigns(label, []);
      return isOurs(url, prefixes) ? `${BREAK}[${shown}](${url.replace(/\?raw=true$/, '')})` : `${BREAK}${shown}`;
    }
    if (dollar !== undefined) return INSTEAD.$;
    if (special !== undefined) return `${slashes.slice(slashes.length % 2)}${INSTEAD[special]}`;
    return `${found}${BREAK}`;
  });
}

/**
 * Whether an address is that of a file below one of the prefixes, however a browser reads it.
 * @param {string} url
 * @param {readonly string[]} prefixes
 */
const isOurs = (url, prefixes) =>
  prefixes.some(prefix => {
    const path = url.startsWith(prefix) ? url.slice(prefix.length).replace(/\?raw=true$/, '') : '..';
    return /^[\w.~+/-]+$/.test(path) && !path.split('/').some(part => part === '' || part === '.' || part === '..');
  });
