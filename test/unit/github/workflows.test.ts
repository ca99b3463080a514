/** The workflows under `.github/`: what they run can be run here, and the one that may write runs nothing of a pull request. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = join(root, '.github/workflows');

const permissions = z.record(z.string(), z.enum(['read', 'write', 'none']));
const values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const step = z.strictObject({
  name: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  with: values.optional(),
  env: values.optional(),
  'continue-on-error': z.boolean().optional(),
});
const workflow = z.strictObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions,
  concurrency: z.strictObject({ group: z.string(), 'cancel-in-progress': z.boolean().optional() }).optional(),
  jobs: z.record(z.string(), z.strictObject({ 'runs-on': z.string(), 'timeout-minutes': z.number(), if: z.string().optional(), permissions: permissions.optional(), steps: z.array(step) })),
});
type Workflow = z.infer<typeof workflow>;

const load = (file: string): Workflow => workflow.parse(parse(readFileSync(join(folder, file), 'utf8')));
const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(job => job.steps);
const targets = new Set([...readFileSync(join(root, 'Makefile'), 'utf8').matchAll(/^([a-z-]+):/gm)].map(match => match[1]!));
const files = readdirSync(folder);

it('are the report of a pull request, and the comment about it', () => expect(files.sort()).toEqual(['report-comment.yml', 'report.yml']));

describe.each(files)('%s', file => {
  const text = readFileSync(join(folder, file), 'utf8');
  const loaded = load(file);

  it('runs make targets that exist, and nothing that an event could write into a shell', () => {
    const runs = stepsOf(loaded).flatMap(({ run }) => run ?? []);
    expect(runs.length).toBeGreaterThan(0);
    for (const run of runs) expect(targets).toContain(/^make ([a-z-]+)$/.exec(run)?.[1]);
  });

  it('takes actions by commit, with the version beside it', () => {
    const uses = text.split('\n').filter(line => /^ *(- )?uses:/.test(line));
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.length).toBe(stepsOf(loaded).filter(s => s.uses !== undefined).length);
    for (const line of uses) expect(line).toMatch(/uses: actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('keeps no credentials in the checkout', () => {
    const checkouts = stepsOf(loaded).filter(({ uses }) => uses?.startsWith('actions/checkout@') === true);
    expect(checkouts.map(s => s.with?.['persist-credentials'])).toEqual([false]);
  });
});

describe('what they may do', () => {
  it('where the code of a pull request runs, nothing can be written and no secret is known', () => {
    const report = load('report.yml');
    expect(Object.keys(report.on)).toContain('pull_request');
    expect(report.permissions).toEqual({ contents: 'read' });
    expect(Object.values(report.jobs).map(job => job.permissions)).toEqual([undefined]);
    expect(readFileSync(join(folder, 'report.yml'), 'utf8')).not.toMatch(/secrets\.|github\.token/);
  });

  it('where comments are written, only code of the default branch runs, and the text stays out of it', () => {
    const comment = load('report-comment.yml');
    expect(Object.keys(comment.on)).toEqual(['workflow_run']);
    expect(comment.on['workflow_run']).toEqual({ workflows: [load('report.yml').name], types: ['completed'] });
    expect(comment.permissions).toEqual({});
    expect(Object.values(comment.jobs).map(job => job.permissions)).toEqual([{ actions: 'read', contents: 'read', 'pull-requests': 'write' }]);
    const steps = stepsOf(comment);
    expect(steps.filter(s => s.uses?.startsWith('actions/checkout@') === true).map(s => s.with?.['ref'])).toEqual(['${{ github.event.repository.default_branch }}']);
    const artifact = steps.find(s => s.uses?.startsWith('actions/download-artifact@') === true)!;
    expect(artifact.with!['path']).toMatch(/^\$\{\{ runner\.temp \}\}\//);
    // Packages would be more code with a token that may write.
    const target = /^report-post:(.*?)##/m.exec(readFileSync(join(root, 'Makefile'), 'utf8'))![1]!;
    expect(target.trim()).toBe('');
  });

  it('the text that one workflow leaves is the one that the other takes', () => {
    const upload = stepsOf(load('report.yml')).find(s => s.with?.['name'] === 'report-comment')!;
    const download = stepsOf(load('report-comment.yml')).find(s => s.with?.['name'] === 'report-comment')!;
    expect(upload.with!['path']).toBe('review/comment.md');
    const post = stepsOf(load('report-comment.yml')).find(s => s.run === 'make report-post')!;
    expect(post.env!['COMMENT']).toBe(`${String(download.with!['path'])}/comment.md`);
    expect(existsSync(join(root, '.github/scripts/post-comment.mjs'))).toBe(true);
  });
});
