/** What this machine knows of test sets in folders; those that are made here need nothing. */
import type { NotReady } from '../../core/ablation/declaration.ts';
import type { PrintLine } from './files.ts';
import { indexAtFirstUse, withFingerprint } from './folder/open.ts';
import { testFolderProblem } from './folder/test-folder.ts';
import { isTestFolder, type CorruptedSpec, type ShiftedSpec } from './test-spec.ts';

type TestSpec = ShiftedSpec | CorruptedSpec;

/** The spec with what this machine holds under its name; what is not there stays as it is. */
export const testSetOnThisMachine = <S extends TestSpec>(spec: S, dataDir: () => string): S => (isTestFolder(spec) ? withFingerprint(spec, spec.name, dataDir()) : spec);

/** Does what this machine can do by itself before these images are used. @throws DataError */
export async function prepareTestSet(spec: TestSpec, dataDir: string, say: PrintLine): Promise<void> {
  if (isTestFolder(spec)) await indexAtFirstUse(spec.name, dataDir, say);
}

/** What is missing before a test set can be opened, or undefined. */
export const testSetNotReady = (spec: TestSpec, dataDir: () => string): NotReady | undefined => (isTestFolder(spec) ? testFolderProblem(spec, dataDir()) : undefined);
