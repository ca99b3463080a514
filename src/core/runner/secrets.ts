/** Keeps what could be a secret out of what is recorded. Rather too much is cut than too little. */

/** @internal */
export const CUT = '[cut]';

const SECRET_NAME = /token|secret|passw|passphrase|credential|auth|cookie|(?:^|[^a-z])(?:key|pwd)(?:$|[^a-z])|api_?key|access_?key|private_?key/i;

/** Whatever has this name (a variable, an option) may hold a secret. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

const KNOWN: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /(?<=:\/\/)[^\s/@]+@/g, // user and password of an address
  /(?<=\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+)[^\s"']+/gi,
  /\b(?:gh[pousr]_|github_pat_|glpat-|hf_|npm_|sk-|pk-|rk_|xox[a-z]-|AKIA|ASIA|AIza|ya29\.|eyJ)[\w.=+/-]{12,}/g,
];

/** Long words that no person chose: letters of both cases and digits, or hexadecimal. */
const WORD = /[A-Za-z0-9+_]{20,}/g;
const looksRandom = (word: string): boolean => /[0-9a-f]{32,}/i.test(word) || (/[a-z]/.test(word) && /[A-Z]/.test(word) && (word.match(/\d/g) ?? []).length >= 2);

/** The text with all that looks like a token, a password in an address or a private key cut out. */
export function withoutSecrets(text: string): string {
  const known = KNOWN.reduce((rest, pattern) => rest.replace(pattern, CUT), text);
  return known.replace(WORD, word => (looksRandom(word) ? CUT : word));
}

export const holdsSecret = (text: string): boolean => withoutSecrets(text) !== text;

/** A command line with the values of secret options (`--token x`, `--token=x`, `TOKEN=x`) and all that looks like a token cut out. */
export function publicCommand(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const [, name, rest] = /^(-{0,2}[\w.-]+)(=[\s\S]*)?$/.exec(arg) ?? [];
    if (name !== undefined && rest !== undefined && isSecretName(name)) return `${name}=${CUT}`;
    const before = args[i - 1];
    if (before?.startsWith('-') === true && !before.includes('=') && isSecretName(before) && !arg.startsWith('-')) return CUT;
    return withoutSecrets(arg);
  });
}

/** `password = "..."` and `password: ...` alone on a line; code that gives a name its value otherwise holds none. */
const QUOTED = /([\w.-]+)(["']?\s*[:=]\s*)(["'`])((?:(?!\3).){4,})\3/g;
const BARE = /^([+\- ]\s*(?:export\s+)?([\w.-]+)\s*[:=]\s*)[^\s"'`(){}[\],;.<>]{6,}$/;
/** A key of a stage is no secret, and this code has many. */
const isSecretInCode = (name: string): boolean => name.toLowerCase() !== 'key' && isSecretName(name);

/** A unified diff with the values of secret names, and all that looks like a token, cut out. Lines that name versions of files stay. */
export function publicDiff(diff: string): string {
  return diff
    .split('\n')
    .map(line => (line.startsWith('index ') ? line : publicLine(line)))
    .join('\n');
}

function publicLine(line: string): string {
  const [, before, name] = BARE.exec(line) ?? [];
  if (before !== undefined && name !== undefined && isSecretInCode(name)) return `${before}${CUT}`;
  return withoutSecrets(line.replace(QUOTED, (all, of: string, between: string, quote: string) => (isSecretInCode(of) ? `${of}${between}${quote}${CUT}${quote}` : all)));
}
