/** The script that posts the comment, against a server that keeps comments as GitHub does. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

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
    expect(body).not.toContain('@');
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
