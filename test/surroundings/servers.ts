/** Mirrors of the package indexes on this machine, which count what is asked of them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Mirror {
  readonly url: string;
  /** Paths asked for, in order. */
  readonly requests: readonly string[];
  close(): void;
}

async function serve(listener: RequestListener): Promise<Mirror> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    listener(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * A Python index (PEP 503) of the wheels of a folder.
 * @param bytesPerSecond of a slow line
 */
export function wheelIndex(folder: string, bytesPerSecond = Infinity): Promise<Mirror> {
  return serve((request, response) => {
    const [, first, name = ''] = (request.url ?? '').split('/');
    if (first === 'simple') {
      const wheels = readdirSync(folder).filter(file => file.endsWith('.whl') && file.split('-')[0]!.replaceAll('_', '-') === name);
      if (wheels.length === 0) response.writeHead(404).end();
      else response.setHeader('content-type', 'text/html').end(wheels.map(file => `<a href="/files/${encodeURIComponent(file)}">${file}</a>`).join('\n'));
      return;
    }
    const file = path.join(folder, decodeURIComponent(name));
    if (!existsSync(file)) response.writeHead(404).end();
    else
      createReadStream(file)
        .pipe(slowed(bytesPerSecond))
        .pipe(response.setHeader('content-length', statSync(file).size));
  });
}

function slowed(bytesPerSecond: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      void sleep((1000 * chunk.length) / bytesPerSecond).then(() => done(null, chunk));
    },
  });
}

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  readonly archive: string;
}

/** A package for npm with one file, as `npm pack` makes it. */
export function npmPackage(folder: string, name: string): NpmPackage {
  const version = '1.0.0',
    archive = path.join(folder, `${name}.tgz`);
  mkdirSync(path.join(folder, 'package'), { recursive: true });
  writeFileSync(path.join(folder, 'package', 'package.json'), JSON.stringify({ name, version, main: 'index.js' }));
  writeFileSync(path.join(folder, 'package', 'index.js'), '');
  execFileSync('tar', ['-czf', archive, '-C', folder, 'package']);
  return { name, version, archive, integrity: `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}` };
}

/** A registry of one npm package. */
export async function npmRegistry({ name, version, integrity, archive }: NpmPackage): Promise<Mirror> {
  const mirror: Mirror = await serve((request, response) => {
    if (request.url === `/${name}`) {
      response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          name,
          'dist-tags': { latest: version },
          versions: { [version]: { name, version, dist: { tarball: `${mirror.url}/${name}.tgz`, integrity } } },
        }),
      );
    } else if (request.url === `/${name}.tgz`) response.end(readFileSync(archive));
    else response.writeHead(404).end();
  });
  return mirror;
}
