// Entry of the loader's thread. A thread does not inherit the hooks that let its parent load TypeScript on every Node version,
// so it registers them itself.
import { register } from 'tsx/esm/api';

register();
await import('./loader-thread.ts');
