/**
 * Which parts of its last block a target reads, and so trains in the student: gradients reach what the loss was computed
 * from and nothing else. A distilled model is a teacher only for targets that read what it has learned. Without tensor
 * code, so that planning can ask.
 */
import type { Target } from './target.ts';

/**
 * `q`, `k`, `v` are the thirds of `attn.qkv`; `proj` is `attn.proj`; `norm` is the final norm of the model. The order is
 * that of the forward pass.
 */
export const PARTS = ['norm1', 'q', 'k', 'v', 'proj', 'norm2', 'mlp', 'norm'] as const;
export type Part = (typeof PARTS)[number];

/** The fields of a distillation's recipe that decide what was trained. */
export interface Distilled {
  readonly target: Target;
  /** Whether a decoder reconstructed pixels from the student's normalised tokens, too. */
  readonly reconstruction: object | null;
}

/** Parts of the tapped block, and the final norm, that the tensors of a target depend on. @internal */
export function partsRead(target: Target): readonly Part[] {
  switch (target.family) {
    case 'relation':
      return PARTS.filter(part => part === 'norm1' || target.pairs.some(pair => pair.includes(part)));
    case 'feature':
      return target.feature === 'block' ? upTo('mlp', target.final_norm) : upTo(LAST_PART[target.feature], false);
    case 'class-token':
      return upTo('mlp', target.final_norm);
  }
}

const LAST_PART = { qkv: 'v', attention: 'proj', attention_residual: 'proj', ffn: 'mlp' } as const;

function upTo(last: Part, finalNorm: boolean): readonly Part[] {
  const parts = PARTS.slice(0, PARTS.indexOf(last) + 1);
  return finalNorm ? [...parts, 'norm'] : parts;
}

/**
 * Parts of its last block, and the final norm, that a distillation trains; all else of that block is left as initialised
 * (in the released code: proj, norm 2 and MLP of a relation-distilled student). Its other blocks are trained whole.
 */
export function trainedParts({ target, reconstruction }: Distilled): readonly Part[] {
  return reconstruction === null ? partsRead(target) : PARTS;
}

/**
 * Parts that a target would read from a distilled teacher and that its distillation did not train. Empty: it can be the teacher.
 * @param teacher the recipe that the teacher was distilled with
 * @param atLastBlock whether the target is taken from the teacher's last block; of an earlier one all is trained
 */
export function untrainedParts(teacher: Distilled, target: Target, atLastBlock: boolean): readonly Part[] {
  const trained = trainedParts(teacher);
  return partsRead(target).filter(part => !trained.includes(part) && (atLastBlock || part === 'norm'));
}
