/** Every format that the program reads. */
import { DATA_FORMATS } from './data-formats.ts';
import { DECLARATION_FORMATS } from './declaration-formats.ts';
import type { Format } from './fuzz.ts';
import { REPORT_FORMATS } from './report-formats.ts';
import { HOSTILE_REPORTS } from './hostile-reports.ts';
import { HOSTILE_STORES } from './hostile-stores.ts';
import { SETUP_FORMATS } from './setup-formats.ts';
import { STORE_FORMATS } from './store-formats.ts';

export const FORMATS: readonly Format[] = [...STORE_FORMATS, ...HOSTILE_STORES, ...HOSTILE_REPORTS, ...DATA_FORMATS, ...DECLARATION_FORMATS, ...REPORT_FORMATS, ...SETUP_FORMATS];
