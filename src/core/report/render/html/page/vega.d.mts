import type { TextMetrics } from '../../../charts/vega/text-width.ts';

export { parse, View } from 'vega';
export declare const expressionInterpreter: unknown;
export declare const textMetrics: TextMetrics;
