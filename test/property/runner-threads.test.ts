/** Whatever is taken, widened and given back, workers never have more threads than `--devices` gave, and none is lost. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDevices, type Place } from '../../src/core/runner/devices.ts';
import { LocalExecutor } from '../../src/core/runner/executors/local.ts';

const act = fc.oneof(fc.constant('reserve' as const), fc.constant('reserve and widen' as const), fc.nat(7));
const cpus = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 })).map(([workers, threads]) => `cpu:${workers}x${threads}`);
const devices = fc.tuple(fc.constantFrom('', 'gpu:0,', 'gpu:0x2,'), fc.array(cpus, { minLength: 1, maxLength: 3 })).map(([gpu, lists]) => gpu + lists.join(','));

const threadsOf = (places: readonly Place[], device: Place['device']): number => places.reduce((sum, place) => sum + (place.device === device ? place.threads : 0), 0);

it('the sum of threads in use is at most what was given, and all places are there again in the end', () => {
  fc.assert(
    fc.property(devices, fc.array(act, { maxLength: 30 }), fc.boolean(), (list, acts, lends) => {
      const given = parseDevices(list);
      const executor = new LocalExecutor(given, { lends });
      const held: Place[] = [];
      for (const what of acts) {
        if (typeof what === 'number') held.splice(what, 1).forEach(place => executor.release(place));
        else {
          const place = executor.reserve({});
          if (place !== undefined) held.push(what === 'reserve' ? place : executor.widen(place));
        }
        for (const device of ['cpu', 'gpu'] as const) expect(threadsOf(held, device)).toBeLessThanOrEqual(threadsOf(given, device));
        if (!lends) for (const place of held) expect(place.borrowed).toBeUndefined();
      }
      for (const place of held) executor.release(place);
      const all: Place[] = [];
      for (let place = executor.reserve({}); place !== undefined; place = executor.reserve({})) all.push(place);
      const byName = (places: readonly Place[]): Place[] => [...places].sort((a, b) => a.name.localeCompare(b.name));
      // Places of two lists of one device are numbered on.
      expect(byName(all)).toEqual(byName(given));
    }),
  );
});
