import study from '../../../src/tinymim/study.ts';

/** Without tests of teachers, which PyTorch's side does not run. */
export default { ...study, headroom: undefined };
