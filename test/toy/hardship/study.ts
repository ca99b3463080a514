/** The toy study with declarations of its own: arms that hang or run out of memory. */
export { default } from '../experiments/study.ts';
