/** Preload (`node --import`): any attempt to load an engine, by `import` or `require`, is an error. To ask where a package stands loads nothing. */
import Module, { register } from 'node:module';

const refuse = specifier => {
  if (specifier.startsWith('@tensorflow/') && !specifier.endsWith('/package.json')) throw new Error(`An engine was loaded: ${specifier}`);
};
const resolveFilename = Module._resolveFilename;
Module._resolveFilename = (specifier, ...rest) => {
  refuse(specifier);
  return resolveFilename.call(Module, specifier, ...rest);
};
const hook = `const refuse = ${refuse};
export const resolve = (specifier, context, next) => {
  refuse(specifier);
  return next(specifier, context);
};`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
