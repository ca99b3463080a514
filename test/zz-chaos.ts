import { runChaos } from '/work/tmp/h1/test/chaos/chaos.ts';
import { kills } from '/work/tmp/h1/test/chaos/disturbances.ts';
const lines: string[] = [];
const t0 = performance.now();
const tally = await runChaos({ seed: 5, disturbances: kills, lanes: Number(process.argv[3] ?? 3), enough: t => t.kills >= Number(process.argv[2]), seeds: '0', say: line => lines.push(line) });
console.log(lines.join('\n')); console.log(JSON.stringify(tally), ((performance.now() - t0) / 1e3).toFixed(1));
