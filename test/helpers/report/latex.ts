/** What TeX would stumble over in a text, found without TeX. */
import { isDeepStrictEqual } from 'node:util';

/** Commands that the tables may use: LaTeX's own and those of the packages that they name. */
const KNOWN = new Set(
  (
    'begin end centering small footnotesize scriptsize setlength tabcolsep caption label toprule midrule bottomrule addlinespace multicolumn rowcolor textbf textit textsuperscript texttt ' +
    'mbox linebreak par begingroup endgroup endfirsthead endhead endfoot linewidth raggedright raggedleft arraybackslash parbox noindent smallskip ' +
    'textbackslash textasciicircum textasciitilde textasciigrave textbar textquotedbl textbullet textdagger textdaggerdbl textexclamdown textquestiondown texttrademark textregistered textonequarter textonehalf textthreequarters texteuro ' +
    'quotedblbase guillemotleft guillemotright ldots pounds S P copyright AE DH O TH ss ae dh o th DJ dj i j L l NG ng OE oe u r H v d c k b checkmark'
  ).split(' '),
);

/** Those that stand in mathematics alone. */
const MATHEMATICS = new Set(
  (
    'alpha beta gamma delta varepsilon epsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi varpi rho varrho varsigma sigma tau upsilon varphi phi chi psi omega ' +
    'Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega mathrm grave acute hat tilde bar breve dot ddot check ' +
    'leftarrow uparrow rightarrow downarrow leftrightarrow updownarrow Leftarrow Uparrow Rightarrow Downarrow Leftrightarrow ' +
    'neg circ pm mp cdot times div prime ell forall partial exists emptyset nabla in notin prod sum ast surd propto infty wedge vee cap cup sim approx ne equiv le ge ll gg ' +
    'subset subseteq oplus otimes'
  ).split(' '),
);

/** Problems of a file, found by a reader of TeX's syntax that knows escapes, groups, mathematics, environments, rows and which package has what. */
export function problemsOf(text: string): string[] {
  const body = text.replace(/^(?:%.*\n)+/, '');
  return [...syntaxProblems(body), ...environmentProblems(body), ...rowProblems(body), ...(text === body ? [] : packageProblems(text, body))];
}

function syntaxProblems(body: string): string[] {
  const problems: string[] = [];
  let [depth, math] = [0, false];
  for (const [token, command] of body.matchAll(/\\([A-Za-z]+|[^A-Za-z])|[{}$%#_^~]|[^\n -~]/gu)) {
    if (/[^ -~]/.test(token)) problems.push(`character ${JSON.stringify(token)}`);
    else if (token === '{') depth += 1;
    else if (token === '}') depth -= 1;
    else if (token === '$') math = !math;
    else if ('%#'.includes(token) || (!math && '_^'.includes(token))) problems.push(`bare ${token}`);
    else if (command !== undefined && /^[A-Za-z]/.test(command) && !(math ? MATHEMATICS : KNOWN).has(command)) problems.push(`command \\${command}${math ? ' in mathematics' : ''}`);
    if (depth < 0) problems.push('group closed twice');
  }
  return [...problems, ...(depth === 0 ? [] : [`${depth} groups left open`]), ...(math ? ['mathematics left open'] : [])];
}

function environmentProblems(body: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  for (const [, what, name] of body.matchAll(/\\(begin|end)\{(\w+)\}/g)) {
    if (what === 'begin') open.push(name!);
    else if (open.pop() !== name) problems.push(`end of ${name!}`);
  }
  return [...problems, ...open.map(name => `${name} left open`)];
}

/** Cells of each row, against the columns declared. */
function rowProblems(body: string): string[] {
  const spec = /\\begin\{(?:tabular|tabularx|longtable)\}(?:\{\\linewidth\})?\{(.*)\}$/m.exec(body)?.[1] ?? '';
  const columns = spec.replace(/[>@p]\{[^}]*\}/g, part => (part.startsWith('p') ? 'p' : '')).length;
  const rows = body.split('\n').filter(line => / \\\\(?:\*|\\addlinespace\[2pt\])?$/.test(line) && !line.startsWith('\\caption'));
  return rows.flatMap(line => {
    const cells = line
      .replace(/\\&/g, '')
      .split('&')
      .reduce((sum, cell) => sum + Number(/\\multicolumn\{(\d+)\}/.exec(cell)?.[1] ?? 1), 0);
    return cells === columns ? [] : [`${cells} cells for ${columns} columns: ${line}`];
  });
}

/** Where each command or environment comes from that LaTeX itself does not have. */
const PACKAGES: readonly (readonly [string, RegExp])[] = [
  ['amssymb', /\\checkmark/],
  ['booktabs', /\\(?:toprule|midrule|bottomrule|addlinespace)/],
  ['colortbl', /\\rowcolor/],
  ['longtable', /\\begin\{longtable\}/],
  ['tabularx', /\\begin\{tabularx\}/],
];

/** Packages that the first line names, against those that the rest needs. */
function packageProblems(text: string, body: string): string[] {
  const named = /\\usepackage\{([\w,]+)\}/.exec(text.split('\n', 1)[0]!)?.[1]!.split(',') ?? [];
  const needed = PACKAGES.flatMap(([name, use]) => (use.test(body) ? [name] : []));
  return isDeepStrictEqual(named, needed) ? [] : [`names ${named.join(', ')} and needs ${needed.join(', ')}`];
}
