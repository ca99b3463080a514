export { default } from '../../../src/tinymim/study.ts';
