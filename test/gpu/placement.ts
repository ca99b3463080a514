/** Child of the check: runs every kind of stage in a precision and prints as JSON on which device each node of their functions ran. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEngine } from '../../src/engine/backend.ts';
import { placedNodes, proveDevice, type PlacedNode } from '../../src/engine/compile/device-proof.ts';
import { nativeBackend } from '../../src/engine/compile/native.ts';
import { areIntegers } from '../../src/engine/compile/placement.ts';
import type { EngineRecipe } from '../../src/tinymim/stages/recipes.ts';
import { everyKind } from '../helpers/every-kind.ts';

export interface Placement {
  readonly promised: string;
  readonly stages: number;
  readonly nodes: number;
  /** Ops on the host that have to do with integers alone: tfjs leaves what it is given of them there. */
  readonly integersOnHost: readonly string[];
  /** Ops of other nodes that ran on another device than the promised one, by the device. */
  readonly elsewhere: Readonly<Record<string, readonly string[]>>;
  /** Results that are no finite numbers. */
  readonly notFinite: readonly string[];
}

const [device, precision, few] = process.argv.slice(2) as ['cpu' | 'gpu', EngineRecipe['precision'], string | undefined];
const place = { device, threads: 1 };
await loadEngine(place);
const { promised } = proveDevice();
const folder = mkdtempSync(join(tmpdir(), 'gpu-check-'));
try {
  let results: Record<string, object> = {};
  const nodes = await placedNodes(async () => {
    results = await everyKind({ engine: { mode: 'graph', precision }, place, folder, ...(few === 'few' && { targets: ['relation, kl'] }) });
  });
  const [host] = nativeBackend().binding.devices();
  const isBookkeeping = (node: PlacedNode): boolean => node.device === host && areIntegers(node.types);
  const others = nodes.filter(node => node.device !== promised && !isBookkeeping(node));
  const printed: Placement = {
    promised,
    stages: Object.keys(results).length,
    nodes: nodes.length,
    integersOnHost: promised === host ? [] : [...new Set(nodes.filter(isBookkeeping).map(({ op }) => op))].sort(),
    elsewhere: Object.fromEntries([...new Set(others.map(node => node.device))].map(name => [name, [...new Set(others.filter(node => node.device === name).map(({ op }) => op))].sort()])),
    notFinite: Object.entries(results).flatMap(([name, result]) => (Object.values(result).every(Number.isFinite) ? [] : [name])),
  };
  process.stdout.write(JSON.stringify(printed));
} finally {
  rmSync(folder, { recursive: true });
}
