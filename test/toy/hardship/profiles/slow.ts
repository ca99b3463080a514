export { default } from '../../experiments/profiles/slow.ts';
