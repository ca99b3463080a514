/** Where this program stands: in a checkout of its repository, or as a package of another project. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the program. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Whether the packages beside it are those of its own lock file, which npm does not publish. */
export const isCheckout = existsSync(path.join(ROOT, 'package-lock.json'));

/** What a person calls to set up. */
export const SETUP = isCheckout ? 'make setup' : 'npx ablate setup';
