/**
 * The parts of Vega that the charts of a report need: no projections, forces, trees or clouds, and expressions walked as
 * trees instead of compiled, which a strict Content-Security-Policy forbids.
 */
import { transforms } from 'vega-dataflow';
import { axisticks, datajoin, encode, scale, sortitems } from 'vega-encode';
import {
  aggregate,
  collect,
  compare,
  expression,
  extent,
  facet,
  field,
  filter,
  flatten,
  formula,
  joinaggregate,
  key,
  multiextent,
  multivalues,
  params,
  prefacet,
  proxy,
  relay,
  sieve,
  values,
} from 'vega-transforms';
import { bound, mark, overlap, render, viewlayout } from 'vega-view-transforms';

Object.assign(transforms, { axisticks, datajoin, encode, scale, sortitems });
Object.assign(transforms, {
  aggregate,
  collect,
  compare,
  expression,
  extent,
  facet,
  field,
  filter,
  flatten,
  formula,
  joinaggregate,
  key,
  multiextent,
  multivalues,
  params,
  prefacet,
  proxy,
  relay,
  sieve,
  values,
});
Object.assign(transforms, { bound, mark, overlap, render, viewlayout });

export { expressionInterpreter } from 'vega-interpreter';
export { parse } from 'vega-parser';
export { textMetrics } from 'vega-scenegraph';
export { View } from 'vega-view';
