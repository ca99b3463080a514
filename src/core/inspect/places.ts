/** Places of workers as others name them: told from attempts, and as `--devices` would say. */
import { INLINE, type Place } from '../runner/devices.ts';

/** @param name as an attempt records it: `cpu:0`, `gpu:1`, `gpu:0.1`, `gpu:MIG-5a…`, `inline` */
export function placeNamed(name: string, threads: number): Place {
  const gpu = /^gpu:([\w-]+)/.exec(name)?.[1];
  return { name, threads, ...(gpu === undefined ? { device: 'cpu' } : { device: 'gpu', gpu: /^\d+$/.test(gpu) ? Number(gpu) : gpu.replaceAll('_', '/') }) };
}

/** `cpu:2x1`, `gpu:0,1x2,cpu:1x4`: what `parseDevices` makes these places of. */
export function devicesText(places: readonly Place[]): string {
  if (places.some(place => place.name === INLINE)) return INLINE;
  const gpus = counted(places.flatMap(place => place.gpu ?? [])).map(([gpu, n]) => (n === 1 ? String(gpu) : `${gpu}x${n}`));
  const cpus = counted(places.flatMap(place => (place.device === 'cpu' ? [place.threads] : []))).map(([threads, n]) => `cpu:${n}x${threads}`);
  return [...(gpus.length > 0 ? [`gpu:${gpus.join(',')}`] : []), ...cpus].join(',');
}

/** In order of the values, numbers before uuids. */
function counted<T extends number | string>(values: readonly T[]): [T, number][] {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (typeof a === typeof b ? (a < b ? -1 : 1) : typeof a === 'number' ? -1 : 1));
}
