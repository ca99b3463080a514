/** `ablate completion <shell>`: a script for the shell, which asks `ablate complete` at every Tab. */
import { readFileSync } from 'node:fs';
import { Argument, type Command } from '@commander-js/extra-typings';
import { print } from '../terminal/output.ts';

const INSTALL = `
Once for bash, zsh or fish:
  ablate completion bash > ~/.local/share/bash-completion/completions/ablate
  ablate completion zsh > "\${fpath[1]}/_ablate"
  ablate completion fish > ~/.config/fish/completions/ablate.fish
Or in the start-up file of bash or zsh (there behind compinit):
  source <(ablate completion bash)`;

export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that lets bash, zsh or fish complete commands, options, ablations, arms and profiles')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', INSTALL)
    .action((shell: string) => print(readFileSync(new URL(`../completion/ablate.${shell}`, import.meta.url), 'utf8')));
}
