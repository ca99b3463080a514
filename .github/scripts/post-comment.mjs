/**
 * Posts a text as the one comment that this repository's reports have on a pull request: made by the first run, updated by
 * later ones. Plain JavaScript without packages, since it runs with a token that may write.
 *
 * The text comes from the code of the pull request and is data: a file and no link to one of ours, cut at a length, made harmless
 * (`foreign-text.mjs`), put below a line of ours that says whose it is. Which pull request it belongs to is looked up from the head of the
 * run, not taken from the text.
 *
 *   COMMENT            file with the text; none: nothing is posted
 *   GITHUB_TOKEN       may write to pull requests
 *   GITHUB_REPOSITORY  owner/name (set on GitHub), GITHUB_API_URL and GITHUB_SERVER_URL likewise
 *   PULL_REQUEST       its number; or, as from a workflow_run: HEAD_REPOSITORY, HEAD_BRANCH, HEAD_SHA
 *   RUN_URL, RUN_CONCLUSION  of the run that made the text, optional
 *   COMMENT_AUTHOR     login that the token writes as (default: github-actions[bot])
 */
import { lstatSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { harmless } from './foreign-text.mjs';
/* global fetch, URLSearchParams */

/** Finds our comment again; invisible. */
const MARKER = '<!-- report of this repository: one comment, updated -->';
/** GitHub takes 65,536 characters. */
const LONGEST = 60_000;
/** Bytes of a text that is read at all. */
const LARGEST = 1_000_000;

/**
 * The comment around a text that nobody vouches for.
 * @param {string} text
 * @param {NodeJS.ProcessEnv} env
 * @returns {string}
 */
function commentBody(text, { GITHUB_SERVER_URL: server = 'https://github.com', GITHUB_REPOSITORY: repository, HEAD_REPOSITORY: from, HEAD_SHA: sha, RUN_URL: runUrl, RUN_CONCLUSION: conclusion }) {
  // Files of this repository, and of the very commit that the text is about.
  const ours = [`${server}/${repository}/blob/`, ...(from && sha ? [`${server}/${from}/blob/${sha}/`] : [])];
  const clean = harmless(text, ours);
  const cut = clean.length <= LONGEST ? clean : `${clean.slice(0, clean.lastIndexOf('\n', LONGEST) + 1)}\n(cut: the text was longer)\n`;
  const failed = conclusion === 'failure' ? '> [!WARNING]\n> The check of the reports failed: a committed report is not what its records and the declarations give, or could not be read.\n\n' : '';
  // Above the text, which could leave a block open.
  const pages = runUrl ? ` The pages with all charts are the artifact \u201creport\u201d of [this run](${runUrl}).` : '';
  const whose = `<sub>What follows was written by the code of this pull request${from ? ` (${from})` : ''} about its own records. Nobody here has checked it.${pages}</sub>\n\n---\n\n`;
  return `${MARKER}\n${failed}${whose}${cut}`;
}

/**
 * The text that the run has left; undefined: none. A link would be followed to what the other run could not see, such as the
 * environment of this process with its token.
 * @param {string | undefined} file
 */
function textOf(file) {
  const found = file ? lstatSync(file, { throwIfNoEntry: false }) : undefined;
  if (found === undefined) return undefined;
  if (!found.isFile()) throw new Error(`Expected the text to be a plain file, got ${found.isSymbolicLink() ? 'a link' : 'something else'} at ${file}`);
  if (found.size > LARGEST) throw new Error(`Expected the text to have at most ${LARGEST} bytes, got ${found.size}`);
  return readFileSync(file, 'utf8');
}

/** @param {NodeJS.ProcessEnv} env */
function clientOf(env) {
  const { GITHUB_TOKEN: token, GITHUB_API_URL: api = 'https://api.github.com' } = env;
  const call = async (method, path, body) => {
    const response = await fetch(`${api}${path}`, {
      method,
      headers: { accept: 'application/vnd.github+json', authorization: `Bearer ${token}`, 'content-type': 'application/json', 'user-agent': 'report-comment' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`Expected GitHub to take ${method} ${path}, got ${response.status}: ${(await response.text()).slice(0, 200)}`);
    return response.json();
  };
  const list = async (path, query = {}) => {
    const found = [];
    for (let page = 1; ; page++) {
      const items = await call('GET', `${path}?${new URLSearchParams({ ...query, per_page: '100', page: String(page) })}`);
      found.push(...items);
      if (items.length < 100) return found;
    }
  };
  return { call, list };
}

/** The number of the open pull request whose head is still that of the run. */
async function pullRequest(env, repository, { list }) {
  if (env.PULL_REQUEST) {
    if (!/^\d+$/.test(env.PULL_REQUEST)) throw new Error(`Expected PULL_REQUEST to be a number, got ${env.PULL_REQUEST}`);
    return Number(env.PULL_REQUEST);
  }
  const { HEAD_REPOSITORY: from = '', HEAD_BRANCH: branch = '', HEAD_SHA: sha } = env;
  const pulls = await list(`/repos/${repository}/pulls`, { state: 'open', head: `${from.split('/')[0]}:${branch}` });
  return pulls.find(pull => pull.head.sha === sha && pull.head.repo?.full_name === from)?.number;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>} what was done
 */
export async function post(env) {
  const { COMMENT: file, GITHUB_REPOSITORY: repository, COMMENT_AUTHOR: author = 'github-actions[bot]' } = env;
  const text = textOf(file);
  if (text === undefined) return 'Nothing to post: the run has left no text.';
  for (const name of ['GITHUB_TOKEN', 'GITHUB_REPOSITORY']) if (!env[name]) throw new Error(`Expected the variable ${name}, got none`);
  const client = clientOf(env);
  const number = await pullRequest(env, repository, client);
  if (number === undefined) return 'Nothing to post: no open pull request has this head any more.';
  const body = commentBody(text, env);
  const comments = await client.list(`/repos/${repository}/issues/${number}/comments`);
  const ours = comments.find(comment => comment.user?.login === author && comment.body?.startsWith(MARKER));
  if (ours) await client.call('PATCH', `/repos/${repository}/issues/comments/${ours.id}`, { body });
  else await client.call('POST', `/repos/${repository}/issues/${number}/comments`, { body });
  return `${ours ? 'Updated' : 'Made'} the comment on pull request ${number}.`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(await post(process.env));
  } catch (error) {
    console.error(`error ${error.message}`);
    process.exitCode = 1;
  }
}
