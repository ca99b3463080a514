/** Model sizes of a profile as recipes. */
import type { VitRecipe } from './stages/recipes.ts';
import type { ModelSize } from './factors.ts';
import type { Profile } from './profile.ts';

/** The encoder in pre-training and distillation. */
export function encoder(profile: Profile, size: ModelSize): VitRecipe {
  const { sizes, ...shared } = profile.model;
  const { embed_dim, depth, num_heads } = sizes[size];
  return { ...shared, embed_dim, depth, num_heads };
}

/** The same weights as a classifier, which may split them into other heads. */
export function classifier(profile: Profile, size: ModelSize): VitRecipe {
  const model = encoder(profile, size);
  return { ...model, num_heads: profile.model.sizes[size].classifier_heads ?? model.num_heads };
}
