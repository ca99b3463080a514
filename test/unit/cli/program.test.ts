import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';

const names = async (called?: string) => (await createProgram(called)).commands.map(command => command.name());

describe('the program', () => {
  it('loads a command alone by its own name, with the help and the options that it has among all', async () => {
    const all = await createProgram();
    expect(all.commands.length).toBeGreaterThan(10);
    for (const command of all.commands) {
      const [alone, ...others] = (await createProgram(command.name())).commands;
      expect(others).toEqual([]);
      expect(alone!.helpInformation()).toBe(command.helpInformation());
    }
  });

  it('has all commands for anything else', async () => {
    const all = await names();
    for (const called of ['help', '--help', '--version', 'pla', 'constructor']) expect(await names(called)).toEqual(all);
  });
});
