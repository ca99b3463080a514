import { homedir } from 'node:os';
import { join } from 'node:path';
import { openScenes } from '../src/tinymim/data/scenes/open.ts';
let t = performance.now();
const s = openScenes({ name: 'composed', source: { name: 'fashion-mnist' }, canvas: [84, 84], items: [3, 6], scale: [0.75, 1.5], train: Number(process.argv[2]), test: 200, seed: 0 }, join(homedir(), '.cache/tinymim-ablations/data'));
console.log('scenes', performance.now() - t, s.mean, s.std, s.train.maps.filter(m => m === 0).length / s.train.maps.length);
