// As in ../index.ts.
/// <reference types="node" />
/**
 * `tinymim-ablations/tinymim`: the study of TinyMIM (default export), the factors that its arms choose, and its profiles.
 * A folder of your own arms of it has `export { default } from 'tinymim-ablations/tinymim';` as its `study.ts`.
 */
export { default } from './study.ts';
export type { Factors, ModelSize } from './factors.ts';
export type { Profile, ProfileDeclaration } from './profile.ts';
