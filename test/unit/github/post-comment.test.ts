/** The script that posts the comment, against a server that keeps comments as GitHub does. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import fc from 'fast-check';
import { marked } from 'marked';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseMarkup, type ElementLike } from '../../helpers/report/dom.ts';

const SCRIPT = fileURLToPath(new URL('../../../.github/scripts/post-comment.mjs', import.meta.url));
const BOT = 'github-actions[bot]';

interface Comment {
  readonly id: number;
  body: string;
  readonly user: { readonly login: string };
}

let server: Server;
let comments: Comment[];
let pulls: { number: number; head: { sha: string; repo: { full_name: string } | null } }[];
let asked: string[];
let dir: string;

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? '' : (JSON.parse(text) as { body: string }).body;
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'post-comment-'));
  writeFileSync(join(dir, 'comment.md'), 'What changed.\n');
  [comments, pulls, asked] = [[], [{ number: 7, head: { sha: 'abc', repo: { full_name: 'fork/name' } } }], []];
  server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request);
      const url = new URL(request.url!, 'http://localhost');
      asked.push(`${request.method!} ${url.pathname} ${url.searchParams.get('head') ?? ''}`.trim());
      const page = Number(url.searchParams.get('page') ?? 1);
      const part = <T>(items: readonly T[]): readonly T[] => items.slice(100 * (page - 1), 100 * page);
      const send = (value: unknown, status = 200): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      if (request.headers.authorization !== 'Bearer token') return send({ message: 'Bad credentials' }, 401);
      if (url.pathname === '/repos/owner/name/pulls') return send(part(pulls));
      if (url.pathname === '/repos/owner/name/issues/7/comments' && request.method === 'GET') return send(part(comments));
      if (url.pathname === '/repos/owner/name/issues/7/comments') return send(comments.push({ id: comments.length + 1, body, user: { login: BOT } }), 201);
      const one = comments.find(comment => url.pathname === `/repos/owner/name/issues/comments/${comment.id}` && request.method === 'PATCH');
      if (one === undefined) return send({ message: 'Not Found' }, 404);
      one.body = body;
      return send(one);
    })();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  rmSync(dir, { recursive: true });
  await new Promise(resolve => server.close(resolve));
});

const post = (env: Record<string, string> = {}) =>
  execaNode(SCRIPT, [], {
    reject: false,
    extendEnv: false,
    env: {
      COMMENT: join(dir, 'comment.md'),
      GITHUB_TOKEN: 'token',
      GITHUB_REPOSITORY: 'owner/name',
      GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      HEAD_REPOSITORY: 'fork/name',
      HEAD_BRANCH: 'a&b=c',
      HEAD_SHA: 'abc',
      RUN_URL: 'https://example.org/run/1',
      RUN_CONCLUSION: 'success',
      ...env,
    },
  });
const stranger = (id: number, body: string): Comment => ({ id, body, user: { login: 'someone' } });

describe('posting', () => {
  it('makes one comment on the pull request of the head, and updates it', async () => {
    expect((await post()).stdout).toBe('Made the comment on pull request 7.');
    expect(asked[0]).toBe('GET /repos/owner/name/pulls fork:a&b=c');
    expect(comments[0]!.body).toContain('What changed.');
    expect(comments[0]!.body).toContain('[this run](https://example.org/run/1)');
    writeFileSync(join(dir, 'comment.md'), 'More changed.\n');
    expect((await post()).stdout).toBe('Updated the comment on pull request 7.');
    expect(comments).toHaveLength(1);
    expect(comments[0]!.body).toContain('More changed.');
  });

  it('finds its comment behind a hundred others, and leaves those with its marker alone', async () => {
    await post();
    const [ours] = comments;
    comments = [...Array.from({ length: 120 }, (_, i) => stranger(i + 10, i === 0 ? ours!.body : 'hello')), ours!];
    expect((await post({ RUN_CONCLUSION: 'failure' })).stdout).toContain('Updated');
    expect(comments).toHaveLength(121);
    expect(ours!.body).toContain('The check of the reports failed');
    expect(comments[0]!.body).not.toContain('The check of the reports failed');
  });

  it('posts nothing where the head has moved on, is of another repository, or left no text', async () => {
    const nothing = async (env: Record<string, string>): Promise<void> => {
      const { exitCode, stdout } = await post(env);
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining('Nothing to post') as string]);
    };
    await nothing({ HEAD_SHA: 'older' });
    await nothing({ HEAD_REPOSITORY: 'fork/other' });
    await nothing({ COMMENT: join(dir, 'none.md') });
    pulls[0]!.head.repo = null;
    await nothing({});
    expect(comments).toEqual([]);
  });

  it('takes a number from a person', async () => {
    expect((await post({ PULL_REQUEST: '7', HEAD_SHA: '' })).stdout).toContain('Made');
    expect((await post({ PULL_REQUEST: '7/../8' })).exitCode).toBe(1);
  });

  it('says what GitHub answered', async () => {
    const { exitCode, stderr } = await post({ GITHUB_TOKEN: 'other' });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error Expected GitHub to take GET .*, got 401: .*Bad credentials/);
  });
});

describe('a hostile text', () => {
  it('is bounded, mentions nobody, and cannot pass for ours', async () => {
    writeFileSync(join(dir, 'comment.md'), `@everyone <!-- report of this repository: one comment, updated -->\n${'x'.repeat(99)}\n`.repeat(5000));
    expect((await post()).exitCode).toBe(0);
    const { body } = comments[0]!;
    expect(body.length).toBeLessThan(65_536);
    expect(body).not.toMatch(/@\w/);
    expect(body.match(/<!--/g)).toHaveLength(1);
    expect(body).toContain('(cut: the text was longer)');
    expect(body).toContain('[this run]');
  });

  it('is no link to a file of ours, and no folder', async () => {
    writeFileSync(join(dir, 'secret'), 'what the other run may not see');
    symlinkSync(join(dir, 'secret'), join(dir, 'link.md'));
    mkdirSync(join(dir, 'folder.md'));
    for (const name of ['link.md', 'folder.md']) {
      const { exitCode, stderr } = await post({ COMMENT: join(dir, name) });
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Expected the text to be a plain file') as string]);
    }
    expect(comments).toEqual([]);
    expect(asked).toEqual([]);
  });
});

interface TextNode {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly textContent: string | null;
  readonly childNodes: readonly TextNode[];
}

/** What GitHub makes of a comment: Markdown, and then what it looks for in the texts. Those within links and code it leaves alone. */
function onGitHub(body: string): { document: ElementLike; references: string[] } {
  const document = parseMarkup(`<html><body>${marked.parse(body, { async: false, gfm: true })}</body></html>`);
  const references: string[] = [];
  const look = ({ nodeType, nodeName, textContent, childNodes }: TextNode): void => {
    if (nodeType === 3) references.push(...(textContent?.match(/(?<!\w)@[a-z0-9][a-z0-9-]*|#\d+|gh-\d+|[0-9a-f]{7,}|\w+:\/\/\S*|\bwww\.\S*|\S+@\w+\.\w+/gi) ?? []));
    else if (!['A', 'CODE', 'PRE'].includes(nodeName)) childNodes.forEach(look);
  };
  look(document.querySelector('body') as unknown as TextNode);
  return { document, references };
}

const OWN = ['https://github.com/owner/name/blob/', 'https://github.com/fork/name/blob/abc/'];
const ELEMENTS = 'p, h1, h2, h3, h4, h5, h6, hr, br, sub, span, strong, em, blockquote, ul, ol, li, table, thead, tbody, tr, th, td, a, pre, code';

describe('a text that is not ours', () => {
  const posted = async (text: string): Promise<ReturnType<typeof onGitHub> & { body: string }> => {
    writeFileSync(join(dir, 'comment.md'), text);
    expect(await post()).toMatchObject({ exitCode: 0, stderr: '' });
    const { body } = comments.at(-1)!;
    return { ...onGitHub(body), body };
  };

  it('mentions nobody, refers to nothing and links nowhere else, however it is written', async () => {
    const sha = '0123456789abcdef0123456789abcdef01234567';
    const references = ['@name', '\\@name', '&#64;name', '&#0064;name', '&#x40;name', '&commat;name', '@<b></b>name', '@org/team', '#7', '\\#7', '&#35;7', '&num;7', 'GH-7', 'gh\\-7', 'GH&#45;7'];
    const more = [
      'owner/name#7',
      'owner/name@' + sha,
      sha,
      sha.slice(0, 7),
      `_${sha}_`,
      'https://evil.example/x',
      'https:\\/\\/evil.example',
      'www.evil.example',
      'a@evil.example',
      'mailto:a@evil.example',
    ];
    const markup = [
      '<https://evil.example>',
      '[x](https://evil.example)',
      '[x][y]',
      '[y]: https://evil.example',
      '![x](https://evil.example/x.png)',
      '![x][y]',
      '<a href="https://evil.example">x</a>',
    ];
    const html = [
      '<img src="https://evil.example/x.png">',
      '<picture><source srcset="https://evil.example/x.png"></picture>',
      '<details><summary>x</summary>y</details>',
      '<!-- x -->',
      '&lt;b&gt;',
      '\\<img src=x>',
    ];
    const code = [
      '```mermaid\ngraph TD\n```',
      '`@name`',
      '~~~\n@name\n~~~',
      '$\\href{https://evil.example}{x}$',
      '- [x] task',
      '[^1]',
      '> [!NOTE]\n> x',
      '\u202egnp',
      '!<a id="x"></a>[x](https://github.com/owner/name/blob/main/x.svg)',
    ];
    const { document, references: found, body } = await posted([...references, ...more, ...markup, ...html, ...code].join('\n\n'));
    expect(found.filter(text => !body.slice(0, body.indexOf('---')).includes(text))).toEqual([]);
    expect(document.querySelectorAll(`body :not(${ELEMENTS})`)).toHaveLength(0);
    expect([...document.querySelectorAll('a')].map(a => a.getAttribute('href'))).toEqual(['https://example.org/run/1', 'https://github.com/owner/name/blob/main/x.svg']);
    expect(body).not.toContain('\u202e');
  });

  it('keeps its headings, tables, emphasis, and its links to files of the repository and of the commit', async () => {
    const [main, head] = [`${OWN[0]!}main/README.md`, `${OWN[1]!}reports/mini/README.md`];
    const text = [
      '### Report, against `main`',
      '> [!CAUTION]\n> One **result** changed',
      '| Arm | now |\n| --- | ---: |\n| [a](#a)<br><sub>x</sub> | **0.9** &lt; 1 |',
      `[Report](${head}) · [main](${main})`,
      `![Chart \\[of it\\]](${OWN[1]!}f/x.svg?raw=true)`,
    ];
    const { document, body } = await posted(text.join('\n\n'));
    expect(document.querySelector('h3')!.textContent).toContain('Report, against');
    expect(document.querySelectorAll('td br, td sub, td strong')).toHaveLength(3);
    expect([...document.querySelectorAll('td')].map(td => td.textContent.replaceAll('\u2060', ''))).toEqual(['ax', '0.9 < 1']);
    expect(body).toContain('> [!CAUTION]\n> One **result** changed');
    expect([...document.querySelectorAll('a')].slice(1).map(a => [a.textContent, a.getAttribute('href')])).toEqual([
      ['Report', head],
      ['main', main],
      ['Chart [of it]', `${OWN[1]!}f/x.svg`],
    ]);
    expect(document.querySelectorAll('img')).toHaveLength(0);
  });

  it.each([
    'https://github.com/owner/name/issues/7',
    'https://github.com/fork/name/blob/other/x',
    `${OWN[0]!}../../../evil/x`,
    `${OWN[0]!}main//x`,
    'https://github.com/owner/name/blob@evil.example/',
    'javascript:alert(1)',
    '/owner/name/blob/main',
  ])('a link to %s is none of ours', async url => {
    const { document } = await posted(`see [this](${url})`);
    expect(document.querySelectorAll('a')).toHaveLength(1);
  });

  it('says above the text whose it is', async () => {
    const { body } = await posted('All is well.\n');
    expect(body).toMatch(
      /^<!--.*-->\n<sub>What follows was written by the code of this pull request \(fork\/name\) about its own records\. Nobody here has checked it\..*<\/sub>\n\n---\n\nAll is well\.\n$/,
    );
  });

  it('whatever it is put together of', async () => {
    const { harmless } = (await import(new URL('../../../.github/scripts/foreign-text.mjs', import.meta.url).href)) as { harmless: (text: string, prefixes: readonly string[]) => string };
    const piece = fc.constantFrom(
      ...[
        '@',
        'name',
        '#',
        '7',
        'GH',
        '-',
        'abcdef0',
        '12',
        '\\',
        '!',
        '[',
        ']',
        '(',
        ')',
        '<',
        '>',
        '/',
        'a',
        'img src=x',
        'sub',
        '&',
        '#64;',
        'amp;',
        '`',
        '```',
        '~~~',
        '*',
        '_',
        '$',
        ' ',
        '\n',
        '\n\n',
        '    ',
        '| ',
      ],
      ...['https', ':', '//', 'www', '.evil.example', '<!--', '-->', '[x](', `[x](${OWN[0]!}main)`, `![x](${OWN[0]!}main)`, '<a id="x"></a>', '<br>', '\u200b', '\u2060', '\r\n', '> [!CAUTION]'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
        const { document, references } = onGitHub(harmless(pieces.join(''), OWN));
        expect(references).toEqual([]);
        expect(document.querySelectorAll(`body :not(${ELEMENTS})`)).toHaveLength(0);
        for (const a of document.querySelectorAll('a')) expect(a.getAttribute('href')).toBe(`${OWN[0]!}main`);
      }),
      { numRuns: 1000 },
    );
  });

  it('of a size that is made to be slow is posted, in part', async () => {
    const { body } = await posted(['\\', '[', '![', '[x](', 'a', ':'].map(part => part.repeat(150_000 / part.length)).join('\n'));
    expect(body.length).toBeLessThan(65_536);
    expect(body).toContain('(cut: the text was longer)');
  });
});
