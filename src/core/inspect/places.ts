/** Places of workers as others name them: told from attempts, and as `--devices` would say. */
import { INLINE, type Place } from '../runner/devices.ts';

/** @param name as an attempt records it: `cpu:0`, `gpu:1`, `gpu:0.1`, `inline` */
export function placeNamed(name: string, threads: number): Place {
  const gpu = /^gpu:(\d+)/.exec(name)?.[1];
  return { name, threads, ...(gpu === undefined ? { device: 'cpu' } : { device: 'gpu', gpu: Number(gpu) }) };
}

/** `cpu:2x1`, `gpu:0,1x2,cpu:1x4`: what `parseDevices` makes these places of. */
export function devicesText(places: readonly Place[]): string {
  if (places.some(place => place.name === INLINE)) return INLINE;
  const gpus = counted(places.flatMap(place => place.gpu ?? [])).map(([gpu, n]) => (n === 1 ? String(gpu) : `${gpu}x${n}`));
  const cpus = counted(places.flatMap(place => (place.device === 'cpu' ? [place.threads] : []))).map(([threads, n]) => `cpu:${n}x${threads}`);
  return [...(gpus.length > 0 ? [`gpu:${gpus.join(',')}`] : []), ...cpus].join(',');
}

function counted(values: readonly number[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}
