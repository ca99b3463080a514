/** What a page holds of its charts for its script: plain data, written by the report and read in the browser. */
import type { Layout } from './chart.ts';
import type { Shared } from './sharing.ts';

export type PageLayout = Exclude<Layout, 'file'>;

export type ViewName = PageLayout | `${PageLayout}-log`;

export const viewName = (layout: PageLayout, log: boolean): ViewName => (log ? `${layout}-log` : layout);

export interface PageChart {
  /** What can be left out, in the order of the variable that lists it. */
  readonly choices: readonly string[];
  /** Whether the page's legend names the choices. */
  readonly legend: boolean;
  /** Whether the first view is logarithmic; absent: there is no other. */
  readonly log?: boolean;
  /** Places among the specifications of the page. */
  readonly views: Readonly<Partial<Record<ViewName, number>>>;
}

export interface PageData {
  readonly charts: Readonly<Record<string, PageChart>>;
  /** Compiled, for Vega. */
  readonly specs: Shared;
}
