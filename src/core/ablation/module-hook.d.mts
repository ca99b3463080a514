import type { resolve as resolveModule } from '../../start/copy-hook.d.mts';

/** A project of declarations. */
export interface Project {
  /** URL of its folder, with a slash at its end. */
  readonly root: string;
  /** Whether its JavaScript and TypeScript are ES modules although nothing above them says so. */
  readonly esModules: boolean;
}

export function initialize(project: Project): void;

export const resolve: typeof resolveModule;
