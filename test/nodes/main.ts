/**
 * `make node-versions`: set-up from nothing, a smoke sweep and the unit tests on several versions of Node, with each engine, in a clone and
 * installed as a package. Runs the last commit: changes that are not committed are not in it. Exit code 1 when anything failed.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InvalidArgumentError, program } from 'commander';
import { textTable } from '../../src/cli/terminal/text.ts';
import { nodeOf } from './node-binary.ts';
import { checkCell, ENGINES, SITUATIONS, type CellResult } from './situation.ts';

const list =
  <T extends string>(known: readonly T[]) =>
  (text: string): readonly T[] =>
    text.split(',').map(name => {
      const found = known.find(k => k === name);
      if (found === undefined) throw new InvalidArgumentError(`Expected some of ${known.join(',')}, got '${name}'.`);
      return found;
    });

const options = program
  .name('make node-versions')
  .option('--node <list>', 'versions of Node, from npm', text => text.split(','), ['20.19.0', '22', '24', 'latest'])
  .option('--engine <list>', ENGINES.join(' and '), list(ENGINES), ['native'])
  .option('--as <list>', SITUATIONS.join(' and '), list(SITUATIONS), ['clone'])
  .option('--quick', 'without the unit tests', false)
  .option('--update', 'look for newer releases of the versions in the cache', false)
  .option('--keep', 'keep the folders of those that failed', false)
  .parse()
  .opts<{ node: readonly string[]; engine: (typeof ENGINES)[number][]; as: (typeof SITUATIONS)[number][]; quick: boolean; update: boolean; keep: boolean }>();

const failureOf = ({ steps }: CellResult): string | undefined => steps.find(step => step.failure !== undefined)?.failure;

const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'node-versions-')));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  if (!options.keep) rmSync(scratch, { recursive: true, force: true });
});

const results: CellResult[] = [];
for (const wanted of options.node) {
  const node = await nodeOf(wanted, options);
  for (const situation of options.as) {
    for (const engine of options.engine) {
      console.log(`Node ${node.version}, ${engine}, ${situation}:`);
      results.push(
        await checkCell({ node, engine, situation }, { scratch, quick: options.quick }, step =>
          console.log(`  ${step.name}: ${step.text} (${step.seconds} s)${step.failure === undefined ? '' : `\n${step.failure}`}`),
        ),
      );
    }
  }
}

/** Numbers are those of the engine: no Node may change one. */
const differing = ENGINES.filter(engine => new Set(results.filter(r => r.engine === engine).flatMap(r => r.records ?? [])).size > 1);

console.log(
  `\n${textTable(
    [
      ['Node', 'engine', 'as', 'records', 'outcome'],
      ...results.map(r => [
        r.node.version,
        r.engine,
        r.situation,
        r.records ?? '-',
        failureOf(r) === undefined ? r.steps.map(s => `${s.name}: ${s.text}`).join('; ') : `FAILED at ${r.steps.at(-1)!.name}`,
      ]),
    ],
    [0, 1, 2, 3, 4],
  )}`,
);
for (const engine of differing) console.log(`FAILED The records of ${engine} differ between versions of Node.`);
if (differing.length > 0 || results.some(r => failureOf(r) !== undefined)) {
  process.exitCode = 1;
  if (options.keep) console.log(`The folders: ${scratch}`);
}
