/**
 * Loaded first by workers (`node --import`): lets Node load TypeScript (tsx). On Node 20 each module that is loaded after that costs
 * messages to a thread and back; zod, which every stage needs, has a hundred of them.
 */
import { register } from 'tsx/esm/api';
import 'zod';

register();
