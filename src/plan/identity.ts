export { identityText, KEY_LENGTH, keyOf } from '../ablation/identity.ts';
