/** A project of declarations. */
export interface Project {
  /** URL of its folder, with a slash at its end. */
  readonly root: string;
  /** Whether its JavaScript and TypeScript are ES modules although nothing above them says so. */
  readonly esModules: boolean;
}

export function initialize(project: Project): void;

export interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
}

/** Of Node's hooks in a thread of their own, where `next` gives a promise, and of those in this thread, where it does not. */
export function resolve<R extends Resolved | Promise<Resolved>, C extends { readonly parentURL?: string | undefined }>(specifier: string, context: C, next: (specifier: string, context: C) => R): R;
