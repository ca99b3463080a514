import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * Imports point down the layers only (README, "Architecture"). Each entry: the files of a layer, and what they must not import.
 * `engine` is everything that loads TensorFlow.
 */
const engine = ['**/tensor/**', '**/nn/**', '**/optim/**', '**/distill/**', '**/data/**'];
const layers = {
  ablation: ['**/plan/**', '**/store/**', '**/runner/**', '**/report/**', '**/cli/**', '**/stages/**', '**/tinymim/**', ...engine],
  plan: ['**/store/**', '**/runner/**', '**/report/**', '**/cli/**', '**/stages/**', '**/tinymim/**', ...engine],
  store: ['**/plan/**', '**/runner/**', '**/report/**', '**/cli/**', '**/stages/**', '**/tinymim/**', ...engine],
  runner: ['**/report/**', '**/cli/**', '**/stages/**', '**/tinymim/**', ...engine],
  report: ['**/runner/**', '**/cli/**', '**/stages/**', '**/tinymim/**', ...engine],
  stages: ['**/plan/**', '**/store/**', '**/runner/**', '**/report/**', '**/cli/**', '**/tinymim/**'],
  distill: ['**/ablation/**', '**/plan/**', '**/store/**', '**/runner/**', '**/report/**', '**/cli/**', '**/stages/**', '**/data/**', '**/optim/**'],
  optim: ['**/ablation/**', '**/plan/**', '**/store/**', '**/runner/**', '**/report/**', '**/cli/**', '**/stages/**', '**/data/**', '**/distill/**', '**/nn/**'],
  data: ['**/ablation/**', '**/plan/**', '**/store/**', '**/runner/**', '**/report/**', '**/cli/**', '**/stages/**', '**/optim/**', '**/distill/**', '**/nn/**'],
  nn: ['**/ablation/**', '**/plan/**', '**/store/**', '**/runner/**', '**/report/**', '**/cli/**', '**/stages/**', '**/data/**', '**/optim/**', '**/distill/**'],
  tensor: ['**/ablation/**', '**/plan/**', '**/store/**', '**/runner/**', '**/report/**', '**/cli/**', '**/stages/**', '**/data/**', '**/optim/**', '**/distill/**', '**/nn/**'],
};

export default tseslint.config(
  { ignores: ['node_modules/', 'runs/', 'reports/', 'coverage/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked.map(c => ({ ...c, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-non-null-assertion': 'off', // checked indexing: `a[i]!` in numeric loops
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } } },
  ...Object.entries(layers).map(([layer, group]) => ({
    files: [`src/${layer}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group, message: `src/${layer} may not import from a layer above or beside it.` }] }] },
  })),
);
