/**
 * Ops of TensorFlow that compute from their inputs and attributes alone, as tfjs-node executes them. Only these may stand in
 * a compiled step: what has a state, draws numbers or talks to the world would be run in another order, or not at all.
 */
const PURE: ReadonlySet<string> = new Set([
  // element by element
  'Abs', 'Add', 'AddN', 'AddV2', 'Cast', 'Ceil', 'ClipByValue', 'Cos', 'Div', 'DivNoNan', 'Elu', 'EluGrad', 'Erf', 'Exp', 'Expm1', 'Floor', 'FloorDiv', 'FloorMod',
  'Log', 'Log1p', 'Maximum', 'Minimum', 'Mod', 'Mul', 'Neg', 'OnesLike', 'Pow', 'RealDiv', 'Reciprocal', 'Relu', 'Relu6', 'Round', 'Rsqrt', 'Select',
  'SelectV2', 'Sigmoid', 'Sign', 'Sin', 'Softplus', 'Sqrt', 'Square', 'SquaredDifference', 'Sub', 'Tanh', 'ZerosLike',
  // comparisons
  'Equal', 'Greater', 'GreaterEqual', 'IsFinite', 'IsInf', 'IsNan', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalNot', 'LogicalOr', 'NotEqual',
  // reductions
  'All', 'Any', 'ArgMax', 'ArgMin', 'LogSoftmax', 'Max', 'Mean', 'Min', 'Prod', 'Softmax', 'Sum',
  // products
  'BatchMatMul', 'BatchMatMulV2', 'Conv2D', 'Conv2DBackpropFilter', 'Conv2DBackpropInput', 'MatMul',
  // shapes and places
  'ConcatV2', 'Const', 'ExpandDims', 'Fill', 'GatherNd', 'GatherV2', 'Identity', 'LinSpace', 'MirrorPad', 'OneHot', 'Pack', 'Pad', 'PadV2', 'Range', 'Reshape',
  'ReverseV2', 'ScatterNd', 'Slice', 'Split', 'SplitV', 'Squeeze', 'StridedSlice', 'Tile', 'Transpose', 'Unpack', 'UnsortedSegmentSum',
]);

export function isPure(op: string): boolean {
  return PURE.has(op);
}
