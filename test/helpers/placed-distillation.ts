/** A packed distillation of a second, and where its functions ran. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { placedNodes, type PlacedNode } from '../../src/engine/compile/device-proof.ts';
import { initEncoder } from '../../src/tinymim/nn/init.ts';
import { runDistillPack } from '../../src/tinymim/stages/distill.ts';
import { distillRecipe } from '../../src/tinymim/stages/recipes.ts';
import { distillFields, image } from './distill-recipe.ts';
import { leaveUpstream, runPack, StageInFolder } from './run-stage.ts';

export interface PlacedDistillation {
  /** Of results and weights. */
  readonly sha256: string;
  readonly nodes: readonly PlacedNode[];
}

/** Two students of one teacher, in one pack. The engine is loaded. */
export async function placedDistillation(): Promise<PlacedDistillation> {
  const folder = mkdtempSync(join(tmpdir(), 'placed-'));
  try {
    const teacher = { ...image, embed_dim: 16, depth: 3, num_heads: 4 };
    const upstream = { teacher: leaveUpstream(folder, { model: teacher }, initEncoder(teacher, 1)) };
    const stages = [{}, { model: { ...distillFields.model, embed_dim: 12 }, teacher_block: 1 }].map(
      fields => new StageInFolder(folder, distillRecipe.parse({ ...distillFields, ...fields }), upstream),
    );
    const hash = createHash('sha256');
    const nodes = await placedNodes(async () => {
      for (const { result, weights } of await runPack(runDistillPack, stages)) {
        hash.update(JSON.stringify(result));
        for (const name of Object.keys(weights).sort()) hash.update(weights[name]!.data);
      }
    });
    return { sha256: hash.digest('hex'), nodes };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
