/** One AdamW step from a whole state to the next, as golden values have it. */
import { adamwRates, adamwUpdate, type AdamWState, type AdamWUpdate } from '../../src/tinymim/optim/adamw.ts';

export function adamw({
  state,
  lr,
  eps = 1e-8,
  ...rest
}: Pick<AdamWUpdate, 'grads' | 'params' | 'betas' | 'groups'> & { readonly state: AdamWState; readonly lr: number; readonly eps?: number }): Pick<ReturnType<typeof adamwUpdate>, 'params'> & {
  readonly state: AdamWState;
} {
  const step = state.step + 1;
  const { params, m, v } = adamwUpdate({ ...rest, m: state.m, v: state.v, rates: adamwRates({ lr, step, betas: rest.betas, eps }) });
  return { params, state: { step, m, v } };
}
