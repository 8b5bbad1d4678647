import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** The files of the dashboard. Only what was in the folder at the start has a name here: no path leads elsewhere. */
export type StaticFiles = {
  readonly get: (path: string) => StaticFile | null;
};

export type StaticFile = {
  readonly type: string;
  /** Its name holds a hash of its content: it may be kept for ever. */
  readonly immutable: boolean;
  readonly load: () => Promise<LoadedFile>;
};
export type LoadedFile = { readonly body: Buffer; readonly gzipped: Buffer | null; readonly etag: string };

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};
const COMPRESSIBLE = /^(text\/|application\/|image\/svg)/;
const compress = promisify(gzip);

/** Lists the folder once; a folder that is missing has no files. Contents are read and compressed when first asked for. */
export function listStaticFiles(folder: string): StaticFiles {
  const files = new Map<string, StaticFile>();
  for (const name of listNames(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const immutable = /^assets\/.*-[\w-]{8,}\.\w+$/.test(name);
    let loaded: Promise<LoadedFile> | undefined;
    const load = (): Promise<LoadedFile> => {
      loaded ??= loadFile(join(folder, name), COMPRESSIBLE.test(type));
      return loaded;
    };
    files.set(`/${name}`, { type, immutable, load });
  }
  return { get: (path) => files.get(path) ?? null };
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function loadFile(path: string, compressible: boolean): Promise<LoadedFile> {
  const body = readFileSync(path);
  const gzipped = compressible && body.length > 500 ? await compress(body, { level: 9 }) : null;
  return { body, gzipped, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}
