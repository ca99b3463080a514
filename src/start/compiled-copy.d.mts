/**
 * The copy for the sources as they are, made where there is none yet.
 * @param root folder of the program
 * @returns its folder: `src/index.ts` is `src/index.mjs` there. Undefined where none can be made, or where another user could have changed it.
 */
export function findCopy(root: string): Promise<string | undefined>;
