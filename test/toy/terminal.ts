/** Command lines of the program on a real terminal. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export interface TerminalLine {
  readonly argv: readonly string[];
  /** Variables beside those that the terminal began with; null: not set. */
  readonly env?: Readonly<Record<string, string | null>>;
}

/** Bytes between what two command lines print. */
export const BETWEEN = '\n<<< end of a command line >>>\n';

interface TerminalOptions {
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Variables that decide on colours are those of the caller alone. */
const PLAIN = { NO_COLOR: undefined, FORCE_COLOR: undefined, TERM: 'xterm-256color' };

/** Runs a command on a terminal. @param hangUp a file: when it appears, the terminal hangs up */
export const startOnTerminal = (command: readonly string[], { columns = 100, env = {}, hangUp = '-' }: TerminalOptions & { readonly hangUp?: string } = {}) =>
  execa('python3', [path('on_terminal.py'), '40', String(columns), hangUp, ...command], { reject: false, env: { ...PLAIN, ...env }, stripFinalNewline: false });

/** What each command line sends to the terminal. All run in one process there, one after the other: a start takes longer than most commands. */
export async function onTerminal(lines: readonly TerminalLine[], options: TerminalOptions = {}): Promise<string[]> {
  const { stdout, stderr, exitCode } = await startOnTerminal([process.execPath, '--import', ALLOW_TYPESCRIPT, path('several.ts'), JSON.stringify(lines)], options);
  if (exitCode !== 0) throw new Error(`The command lines ended with ${exitCode}: ${stdout}${stderr}`);
  return stdout.replaceAll('\r\n', '\n').split(BETWEEN).slice(0, -1);
}
