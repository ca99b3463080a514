/** Runs several command lines in one process (`terminal.ts`). */
import { run } from '../../src/cli/main.ts';
import { BETWEEN, type TerminalLine } from './terminal.ts';

for (const { argv, env = {} } of JSON.parse(process.argv[2]!) as readonly TerminalLine[]) {
  const before = { ...process.env };
  for (const [name, value] of Object.entries(env)) {
    if (value === null) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  await run(argv);
  for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
  process.exitCode = undefined;
  process.stdout.write(BETWEEN);
}
