/** What a stage of segmentation begins with: the engine and the scenes. */
import { canonicalJson } from '../../../core/ablation/json.ts';
import type { StageContext } from '../../../core/ablation/kind.ts';
import { openScenes, type Scenes } from '../../data/scenes/open.ts';
import type { SceneSpec } from '../../data/scenes/spec.ts';
import type { EngineRecipe } from '../recipes.ts';
import { loadStageEngine } from '../stage-io.ts';

/** The stages of a process mostly share one set of scenes, which take seconds to make; they are never written to. */
let last: { readonly key: string; readonly scenes: Scenes } | undefined;

/** @throws EngineError, DataError when either is missing; PermanentError when the engine cannot run the recipe */
export async function loadEngineAndScenes(context: StageContext<{ data: SceneSpec; engine: EngineRecipe }>): Promise<Scenes> {
  await loadStageEngine(context);
  const { data } = context.recipe,
    { dataDir } = context.execution;
  const key = canonicalJson([data, dataDir]);
  if (last?.key !== key) last = { key, scenes: openScenes(data, dataDir) };
  return last.scenes;
}
