/** The study that these declarations belong to. A folder of your own declarations has the same line, or brings its own study. */
export { default } from 'tinymim-ablations/tinymim';
