/** SVG text as a tree and back: only what Vega writes, which escapes `<` and `>` in texts and attributes, so that a tag ends at its first `>`. */

export interface SvgElement {
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly children: (SvgElement | string)[];
}

export const isElement = (node: SvgElement | string): node is SvgElement => typeof node !== 'string';

/** @throws Error where it is not one element with all that is opened closed again */
export function parseSvg(text: string): SvgElement {
  const top: SvgElement = { name: '', attributes: new Map(), children: [] };
  const open = [top];
  for (const [, end, name, attributes, closed, words] of text.matchAll(/<(\/?)([\w-]+)([^>]*?)(\/?)>|([^<]+)/g)) {
    const parent = open.at(-1)!;
    if (words !== undefined) parent.children.push(words);
    else if (end === '/') {
      if (open.pop()!.name !== name) throw new Error(`Expected an SVG whose elements are closed in turn, got the end of ${name!}.`);
    } else {
      const element = { name: name!, attributes: new Map([...attributes!.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!] as const)), children: [] };
      parent.children.push(element);
      if (closed === '') open.push(element);
    }
  }
  const [root] = top.children;
  if (open.length !== 1 || root === undefined || !isElement(root)) throw new Error('Expected one whole SVG element.');
  return root;
}

export function writeSvg({ name, attributes, children }: SvgElement): string {
  const tag = `${name}${[...attributes].map(([key, value]) => ` ${key}="${value}"`).join('')}`;
  return children.length === 0 ? `<${tag}/>` : `<${tag}>${children.map(child => (isElement(child) ? writeSvg(child) : child)).join('')}</${name}>`;
}
