/** What may stand next on a command line. */
import { homedir } from 'node:os';
import type { CommandWords, OptionWords } from './commands.ts';
import { valuesOf, type Values } from './values.ts';

/**
 * What fits at the end of a command line.
 * @param program its commands
 * @param words those behind the name of the program, as the shell has them; the last one, maybe empty, is the one to complete
 */
export function completions(program: CommandWords, words: readonly string[]): Values {
  const [before, current] = plainWords(words);
  const { command, options, operands, open } = parse(program, before);
  if (open?.value !== undefined) return valuesOf(open.value, current, options);
  const [, flag, begun] = /^(--[\w-]+)=(.*)$/s.exec(current) ?? [];
  if (flag !== undefined && begun !== undefined) {
    const place = command.options.find(option => option.flag === flag)?.value;
    return place === undefined ? NOTHING : prefixed(`${flag}=`, valuesOf(place, begun, options));
  }
  if (current.startsWith('-')) return { kind: 'words', values: command.options.filter(o => o.flag.startsWith(current)).map(o => ({ word: o.flag, help: o.help })) };
  const last = command.operands.at(-1);
  const operand = command.operands[operands] ?? (last?.variadic === true ? last : undefined);
  if (command === program || operand?.placeholder === 'command') return { kind: 'words', values: program.commands.filter(c => c.name.startsWith(current)).map(c => ({ word: c.name, help: c.help })) };
  return operand === undefined ? NOTHING : valuesOf(operand, current, options);
}

const NOTHING: Values = { kind: 'words', values: [] };

/**
 * Without the quotes of a shell, and with `~` resolved. bash splits `--only=x` into three words: an option with its value behind it
 * means the same.
 */
function plainWords(words: readonly string[]): [before: string[], current: string] {
  const plain = words.map(word => word.replace(/\\(.)|["']/gs, '$1').replace(/^~(?=\/|$)/, homedir()));
  const current = plain.pop() ?? '';
  return [plain.filter(word => word !== '='), current === '=' ? '' : current];
}

interface Parsed {
  readonly command: CommandWords;
  /** Values by flag, the last one where there are several. */
  readonly options: ReadonlyMap<string, string>;
  /** How many operands there are. */
  readonly operands: number;
  /** An option that waits for its value. */
  readonly open: OptionWords | undefined;
}

function parse(program: CommandWords, words: readonly string[]): Parsed {
  let command = program;
  let open: OptionWords | undefined;
  let operands = 0;
  const options = new Map<string, string>();
  for (const word of words) {
    if (open !== undefined) {
      options.set(open.flag, word);
      open = undefined;
    } else if (word.startsWith('-')) {
      const [flag = '', value] = word.split(/=(.*)/s);
      const option = command.options.find(o => o.flag === flag);
      if (value !== undefined) options.set(flag, value);
      else if (option?.value !== undefined) open = option;
    } else {
      const chosen = command === program ? program.commands.find(({ name }) => name === word) : undefined;
      if (chosen) command = chosen;
      else operands += 1;
    }
  }
  return { command, options, operands, open };
}

const prefixed = (prefix: string, { kind, values }: Values): Values => ({ kind, values: values.map(({ word, help }) => ({ word: prefix + word, help })) });
