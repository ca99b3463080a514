/**
 * Lets Node load TypeScript (tsx): loaded first by the command, by its workers, and by no module. On Node 20 each module that is
 * loaded from then on costs messages to a thread and back. zod has a hundred, and every process of ours needs it: it is loaded before.
 */
import { register } from 'tsx/esm/api';
import 'zod';

register();
