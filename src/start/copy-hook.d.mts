/** Folders of the program and of its copy. */
export interface Place {
  readonly root: string;
  readonly copy: string;
}

export function initialize(place: Place): void;

export interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
}

/** Of Node's hooks in a thread of their own, where `next` gives a promise, and of those in this thread, where it does not. */
export function resolve<R extends Resolved | Promise<Resolved>, C extends { readonly parentURL?: string | undefined }>(specifier: string, context: C, next: (specifier: string, context: C) => R): R;

/** The source of a file of the copy; another file is itself. */
export function sourceOf(file: string): string;
