/** Text -> LaTeX in ASCII: it means the same in whichever encoding the document is that it is pasted into. */

/** Characters that follow one another, each with its command; `.` leaves one out. */
const inTurn = (first: number, names: string): [string, string][] => names.split(' ').flatMap((name, i): [string, string][] => (name === '.' ? [] : [[String.fromCharCode(first + i), name]]));

/** What is set in mathematics: Greek, operators, arrows. Capitals that look like Latin ones have no command of their own. */
const MATHEMATICS: ReadonlyMap<string, string> = new Map([
  ...inTurn(
    0x391,
    '\\mathrm{A} \\mathrm{B} \\Gamma \\Delta \\mathrm{E} \\mathrm{Z} \\mathrm{H} \\Theta \\mathrm{I} \\mathrm{K} \\Lambda \\mathrm{M} ' +
      '\\mathrm{N} \\Xi \\mathrm{O} \\Pi \\mathrm{P} . \\Sigma \\mathrm{T} \\Upsilon \\Phi \\mathrm{X} \\Psi \\Omega',
  ),
  ...inTurn(
    0x3b1,
    '\\alpha \\beta \\gamma \\delta \\varepsilon \\zeta \\eta \\theta \\iota \\kappa \\lambda \\mu \\nu \\xi o \\pi \\rho \\varsigma \\sigma \\tau \\upsilon \\varphi \\chi \\psi \\omega',
  ),
  ...inTurn(0x2190, '\\leftarrow \\uparrow \\rightarrow \\downarrow \\leftrightarrow \\updownarrow'),
  ...inTurn(0x21d0, '\\Leftarrow \\Uparrow \\Rightarrow \\Downarrow \\Leftrightarrow'),
  ...inTurn(0x2070, '^0 ^i . . ^4 ^5 ^6 ^7 ^8 ^9 ^+ ^- ^= ^( ^) ^n _0 _1 _2 _3 _4 _5 _6 _7 _8 _9 _+ _- _= _( _)'),
  ...Object.entries({
    '<': '<',
    '>': '>',
    '\u00ac': '\\neg',
    '\u00b0': '^{\\circ}',
    '\u00b1': '\\pm',
    '\u00b2': '^2',
    '\u00b3': '^3',
    '\u00b5': '\\mu',
    '\u00b7': '\\cdot',
    '\u00b9': '^1',
    '\u00d7': '\\times',
    '\u00f7': '\\div',
    '\u03d1': '\\vartheta',
    '\u03d5': '\\phi',
    '\u03d6': '\\varpi',
    '\u03f1': '\\varrho',
    '\u03f5': '\\epsilon',
    '\u2032': '^{\\prime}',
    '\u2033': '^{\\prime\\prime}',
    '\u2113': '\\ell',
    '\u2200': '\\forall',
    '\u2202': '\\partial',
    '\u2203': '\\exists',
    '\u2205': '\\emptyset',
    '\u2207': '\\nabla',
    '\u2208': '\\in',
    '\u2209': '\\notin',
    '\u220f': '\\prod',
    '\u2211': '\\sum',
    '\u2212': '-',
    '\u2213': '\\mp',
    '\u2217': '\\ast',
    '\u2218': '\\circ',
    '\u221a': '\\surd',
    '\u221d': '\\propto',
    '\u221e': '\\infty',
    '\u2227': '\\wedge',
    '\u2228': '\\vee',
    '\u2229': '\\cap',
    '\u222a': '\\cup',
    '\u223c': '\\sim',
    '\u2248': '\\approx',
    '\u2260': '\\ne',
    '\u2261': '\\equiv',
    '\u2264': '\\le',
    '\u2265': '\\ge',
    '\u226a': '\\ll',
    '\u226b': '\\gg',
    '\u2282': '\\subset',
    '\u2286': '\\subseteq',
    '\u2295': '\\oplus',
    '\u2297': '\\otimes',
    '\u22c5': '\\cdot',
    '\u2715': '\\times',
    '\u2717': '\\times',
  }),
]);

/** Characters that LaTeX reads as commands, spaces and dashes, and letters that are no other letter with an accent. */
const TEXT: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '\\': '\\textbackslash{}',
    '{': '\\{',
    '}': '\\}',
    $: '\\$',
    '&': '\\&',
    '#': '\\#',
    '%': '\\%',
    _: '\\_',
    '^': '\\textasciicircum{}',
    '~': '\\textasciitilde{}',
    // Behind the end of a row these two would be its options.
    '[': '{[}',
    '*': '{*}',
    '|': '\\textbar{}',
    '"': '\\textquotedbl{}',
    '`': '\\textasciigrave{}',
    // No-break, of a digit's width, narrow, thin, hair; then nothing to be seen.
    '\u00a0': '~',
    '\u2007': '~',
    '\u202f': '\\,',
    '\u2009': '\\,',
    '\u200a': '\\,',
    '\u00ad': '\\-',
    '\u200b': '',
    '\u200c': '',
    '\u200d': '',
    '\u2010': '-',
    '\u2011': '\\mbox{-}',
    '\u2012': '--',
    '\u2013': '--',
    '\u2014': '---',
    '\u2018': '`',
    '\u2019': "'",
    '\u201c': '``',
    '\u201d': "''",
    '\u201e': '\\quotedblbase{}',
    '\u00ab': '\\guillemotleft{}',
    '\u00bb': '\\guillemotright{}',
    '\u2020': '\\textdagger{}',
    '\u2021': '\\textdaggerdbl{}',
    '\u2022': '\\textbullet{}',
    '\u2026': '\\ldots{}',
    '\u20ac': '\\texteuro{}',
    '\u2122': '\\texttrademark{}',
    '\u2713': '\\checkmark{}',
    '\u00a1': '\\textexclamdown{}',
    '\u00a3': '\\pounds{}',
    '\u00a7': '\\S{}',
    '\u00a9': '\\copyright{}',
    '\u00ae': '\\textregistered{}',
    '\u00b6': '\\P{}',
    '\u00bc': '\\textonequarter{}',
    '\u00bd': '\\textonehalf{}',
    '\u00be': '\\textthreequarters{}',
    '\u00bf': '\\textquestiondown{}',
    '\u00c6': '\\AE{}',
    '\u00d0': '\\DH{}',
    '\u00d8': '\\O{}',
    '\u00de': '\\TH{}',
    '\u00df': '\\ss{}',
    '\u00e6': '\\ae{}',
    '\u00f0': '\\dh{}',
    '\u00f8': '\\o{}',
    '\u00fe': '\\th{}',
    '\u0110': '\\DJ{}',
    '\u0111': '\\dj{}',
    '\u0131': '\\i{}',
    '\u0141': '\\L{}',
    '\u0142': '\\l{}',
    '\u014a': '\\NG{}',
    '\u014b': '\\ng{}',
    '\u0152': '\\OE{}',
    '\u0153': '\\oe{}',
  }),
);

interface Accent {
  readonly text: string;
  /** Over a Greek letter; undefined: there is none. */
  readonly math?: string;
  readonly below?: boolean;
}

/** Marks that combine with the letter before them. */
const ACCENTS: ReadonlyMap<string, Accent> = new Map(
  Object.entries({
    '\u0300': { text: '\\`', math: '\\grave' },
    '\u0301': { text: "\\'", math: '\\acute' },
    '\u0302': { text: '\\^', math: '\\hat' },
    '\u0303': { text: '\\~', math: '\\tilde' },
    '\u0304': { text: '\\=', math: '\\bar' },
    '\u0306': { text: '\\u', math: '\\breve' },
    '\u0307': { text: '\\.', math: '\\dot' },
    '\u0308': { text: '\\"', math: '\\ddot' },
    '\u030a': { text: '\\r' },
    '\u030b': { text: '\\H' },
    '\u030c': { text: '\\v', math: '\\check' },
    '\u0323': { text: '\\d', below: true },
    '\u0327': { text: '\\c', below: true },
    '\u0328': { text: '\\k', below: true },
    '\u0331': { text: '\\b', below: true },
  }),
);

/** A character with the marks upon it. */
const WITH_MARKS = /\P{M}\p{M}*|\p{M}/gu;

/** Text as LaTeX sets it. A character that its fonts do not have is named by its number rather than lost. */
export function escapeLatex(text: string): string {
  let all = '';
  for (const [character] of text.normalize('NFC').matchAll(WITH_MARKS)) {
    const next = escaped(character);
    all += `${JOINS.test(`${all.at(-1) ?? ''}${next.charAt(0)}`) ? '{}' : ''}${next}`;
  }
  return all;
}

/** Two that LaTeX would make one: dashes, quotation marks, and a turned mark of exclamation or question. */
const JOINS = /^(?:--|''|``|,,|[!?]`)$/;

function escaped(character: string): string {
  const whole = known(character);
  if (whole !== undefined) return whole;
  const [base = '', ...marks] = character.normalize('NFD');
  const accents = marks.map(mark => ACCENTS.get(mark));
  return (accents.every(accent => accent !== undefined) ? accented(base, accents) : undefined) ?? [base, ...marks].map(part => known(part) ?? numbered(part)).join('');
}

function known(character: string): string | undefined {
  const mathematics = MATHEMATICS.get(character);
  if (mathematics !== undefined) return `$${mathematics}$`;
  return TEXT.get(character) ?? (/^[ -~]$/.test(character) ? character : undefined);
}

/** A letter with accents, those below it last: TeX puts an accent above a character and nothing else. */
function accented(base: string, accents: readonly Accent[]): string | undefined {
  const letter = MATHEMATICS.get(base);
  if (letter !== undefined && accents.every(accent => accent.math !== undefined)) return `$${accents.reduce((inner, { math }) => `${math!}{${inner}}`, letter)}$`;
  if (!/^[A-Za-z]$/.test(base)) return undefined;
  const [above, below] = [accents.filter(accent => accent.below !== true), accents.filter(accent => accent.below === true)];
  const dotless = above.length > 0 && (base === 'i' || base === 'j') ? `\\${base}` : base;
  return [...above, ...below].reduce((inner, accent) => `${accent.text}{${inner}}`, dotless);
}

function numbered(character: string): string {
  const code = character.codePointAt(0)!;
  return code < 0x20 || (code > 0x7e && code < 0xa0) ? ' ' : `\\texttt{U+${code.toString(16).toUpperCase().padStart(4, '0')}}`;
}
