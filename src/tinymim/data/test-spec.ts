/** Test sets beside that of the data, as plain data: part of a recipe. Light, since planning parses it; `test-sets.ts` opens them. */
import { z } from 'zod';

/** How many images of the split they are made of, with balanced classes and always the same ones; `null`: all. */
const images = z.int().positive().nullable();

/**
 * Images that are otherwise than those that classifiers were trained on, of the same classes; accuracy tells who copes. Made of the split's images:
 * `sheared-scaled`, in the place of ImageNet-A, and `shade-inverted`, with a slight shear, in that of ImageNet-R (`corrupt/shifts.ts`).
 */
export const shiftedSpec = z.discriminatedUnion('name', [z.strictObject({ name: z.literal('sheared-scaled'), images }), z.strictObject({ name: z.literal('shade-inverted'), images })]);

/** The same images 75 times, corrupted in fifteen ways at five severities. `simulated`: made of the split's images (`corrupt/corruptions.ts`). */
export const corruptedSpec = z.discriminatedUnion('name', [z.strictObject({ name: z.literal('simulated'), images })]);

/** Images of a test set that is made of `all` images. */
export const shiftedCount = ({ images }: ShiftedSpec, all: number): number => images ?? all;
/** Images of each of 75 sets. */
export const corruptedCount = ({ images }: CorruptedSpec, all: number): number => images ?? all;

export type ShiftedSpec = z.infer<typeof shiftedSpec>;
export type CorruptedSpec = z.infer<typeof corruptedSpec>;
