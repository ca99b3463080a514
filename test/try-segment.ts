import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { homedir, tmpdir } from 'node:os';
import { runSegment } from '../src/tinymim/stages/segment/segment.ts';
import { runSegmentEvaluate } from '../src/tinymim/stages/segment/evaluate.ts';
import { segmentRecipe, segmentEvaluateRecipe } from '../src/tinymim/stages/segment/recipes.ts';
import { segmentCost, segmentMemory, segmenterParameters } from '../src/tinymim/stages/segment/cost.ts';
import { initEncoder } from '../src/tinymim/nn/init.ts';
import { leaveUpstream, StageInFolder } from './helpers/run-stage.ts';
import { readWeights } from '../src/engine/formats/weights.ts';

const [profile = 'smoke', steps = '10', from = '', lr = '2e-3'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'try-'));
const size = profile === 'smoke' ? { patch_size: 14, embed_dim: 32, depth: 2, num_heads: 4 } : { patch_size: 7, embed_dim: 40, depth: 3, num_heads: 4 };
const base = { image_size: [28, 28] as [number, number], in_chans: 1, mlp_ratio: 4, ...size };
const model = { ...base, image_size: [56, 56] as [number, number] };
const depth = size.depth;
const recipe = segmentRecipe.parse({
  data: { name: 'composed', source: { name: 'fashion-mnist' }, canvas: [84, 84], items: [3, 6], scale: [0.75, 1.5], train: profile === 'smoke' ? 64 : 2000, test: profile === 'smoke' ? 32 : 200, seed: 0 },
  model, feature_blocks: [1, 2, 3, 3].map((_, i) => Math.ceil([1 / 3, 1 / 2, 2 / 3, 1][i]! * depth)), relative_position_bias: true, layer_scale: 1,
  head: { channels: profile === 'smoke' ? 8 : Number(process.env['CH'] ?? 24), auxiliary_channels: 8, auxiliary_weight: 0.4, dropout: 0.1 },
  drop_path: 0, schedule: { steps: Number(steps), warmup_steps: Math.ceil(Number(steps) / 20), warmup_ratio: 1e-6, batch_size: 16, accumulation_steps: 1, lr: Number(lr), min_lr: 0, power: 1 },
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.999] }, layer_decay: 0.9, augment: { resize: null, cat_max_ratio: 0.75, flip: true, photometric: true }, engine: {},
});
console.log('parameters', segmenterParameters(recipe), 'flops/image', segmentCost(recipe).flops / 3 / Number(steps) / 16 / 1e6, 'MFLOP', 'memory', Object.values(segmentMemory(recipe)).map(x => Math.round(x / 2 ** 20)));
const weights = from ? readWeights(from) : initEncoder(base, 0);
const stage = new StageInFolder(folder, recipe, { weights: leaveUpstream(folder, { model: base }, weights) });
const context = { ...stage.context(), execution: { ...stage.context().execution, dataDir: join(homedir(), '.cache/tinymim-ablations/data') } };
let began = performance.now();
const at: number[] = [];
const result = await runSegment({ ...context, progress: p => { if (p.phase === 'trace') console.log('trace at', Math.round(performance.now() - began), process.cpuUsage().user / 1e6); if (p.phase === 'step') { if (at.length < 2) console.log('cpu', process.cpuUsage().user / 1e6); at.push(performance.now()); } } });
console.log(result, 'total', Math.round(performance.now() - began), 'first step', Math.round(at[0]! - began), 'ms/step', (at.at(-1)! - at[1]!) / (at.length - 2), 'rss', Math.round(process.resourceUsage().maxRSS / 1024));
console.log(stage.records.map(r => r['loss']).slice(-3), stage.log);
const evaluate = new StageInFolder(folder, segmentEvaluateRecipe.parse({ data: recipe.data, stride: [37, 37], batch_size: 16, engine: {} }), { weights: { key: 'k', kind: 'segment', recipe: recipe as never, result: {}, output: stage.output } });
began = performance.now();
console.log(await runSegmentEvaluate({ ...evaluate.context(), execution: context.execution }), Math.round(performance.now() - began));
process.exit(0);
