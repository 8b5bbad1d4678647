#!/usr/bin/env node
/**
 * Gets files and tables back from a backup repository of Angles. One file, no dependency: Node.js 22.15 or newer, the
 * repository (a clone, or the bare folder) and the key are all it takes. The format is in docs/BACKUP-FORMAT.md of
 * Angles. Everything is proven before it is written; nothing is ever written outside of the target folder.
 */
import { createDecipheriv, createHash, createHmac, hkdfSync, scryptSync } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as zlib from 'node:zlib';

const HELP = `Usage: node restore.mjs REPOSITORY [options]

REPOSITORY is a clone of a backup repository, or the bare repository itself.

  --list              list the backups, newest first
  --to FOLDER         restore into this folder, which must be empty or not there
  --backup NAME       a commit, a tag or a branch; the newest backup otherwise
  --only PATH         only this file or folder (as shown by --files); may be repeated
  --files             list the files of the backup
  --verify            prove the whole backup, write nothing
  --no-tables         do not write the tables
  --key-file FILE     a file that holds the key ("-" reads it from the standard input)
  --help              this text

The key may also be in the environment variable BACKUP_ENCRYPTION_KEY. It is never taken from the command line, where
other users of the machine could see it.

Files go to FOLDER/files/NAME-NUMBER/..., one folder for each watched folder; tables go to FOLDER/tables/NAME.json.
Exit codes: 0 done, 1 something failed, 7 the backup is damaged or the key is wrong, 64 wrong usage.
`;

class Failure extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
const damaged = (what) =>
  new Failure(`The backup is damaged or was tampered with: ${what}. Nothing of it can be trusted.`, 7);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const isHex = (text, digits) => typeof text === 'string' && text.length === digits && /^[0-9a-f]*$/.test(text);

// ---- Git objects: packs with index files of version 2, and loose objects ----------------------------------------

const OBJECT_TYPES = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
const LARGEST_OBJECT = 512 * 1_048_576;

function openRepository(folder) {
  const git = [folder, join(folder, '.git')].find(
    (each) => existsSync(join(each, 'HEAD')) && existsSync(join(each, 'objects')),
  );
  if (git === undefined) throw new Failure(`${folder} is not a git repository.`, 64);
  const packFolder = join(git, 'objects', 'pack');
  const packs = (existsSync(packFolder) ? readdirSync(packFolder) : [])
    .filter((name) => /^pack-.*\.idx$/.test(name) && existsSync(join(packFolder, `${name.slice(0, -4)}.pack`)))
    .map((name) => openPack(join(packFolder, name.slice(0, -4))));
  return { git, packs };
}

function openPack(path) {
  const index = readFileSync(`${path}.idx`);
  if (index.length < 1072 || index.readUInt32BE(0) !== 0xff744f63 || index.readUInt32BE(4) !== 2)
    throw damaged(`${path}.idx is no index`);
  const count = index.readUInt32BE(8 + 255 * 4);
  if (1032 + count * 28 + 40 > index.length) throw damaged(`${path}.idx is cut off`);
  const descriptor = openSync(`${path}.pack`, 'r');
  return { path, index, count, descriptor, size: statSync(`${path}.pack`).size };
}

function findInPack(pack, oid) {
  const { index, count } = pack;
  const wanted = Buffer.from(oid, 'hex');
  let from = wanted[0] === 0 ? 0 : index.readUInt32BE(8 + (wanted[0] - 1) * 4);
  let to = index.readUInt32BE(8 + wanted[0] * 4);
  while (from < to) {
    const middle = (from + to) >>> 1;
    const order = index.compare(wanted, 0, 20, 1032 + middle * 20, 1052 + middle * 20);
    if (order === 0) {
      const near = index.readUInt32BE(1032 + count * 24 + middle * 4);
      return near < 0x80000000 ? near : Number(index.readBigUInt64BE(1032 + count * 28 + (near - 0x80000000) * 8));
    }
    if (order < 0) from = middle + 1;
    else to = middle;
  }
  return -1;
}

function readBytes(pack, offset, length) {
  const bytes = Buffer.alloc(Math.max(0, Math.min(length, pack.size - offset)));
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(pack.descriptor, bytes, done, bytes.length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function readEntry(repository, pack, offset, depth) {
  if (depth > 4_000) throw damaged('deltas without an end');
  const head = readBytes(pack, offset, 64);
  let at = 1;
  let size = head[0] & 15;
  let scale = 16;
  for (let byte = head[0]; byte & 0x80; scale *= 128) {
    byte = head[at++] ?? 0;
    size += (byte & 0x7f) * scale;
    if (at > 12) throw damaged('an object without a size');
  }
  if (size > LARGEST_OBJECT) throw damaged('an object that no backup has');
  const type = (head[0] >> 4) & 7;
  let base = null;
  if (type === 6) {
    let byte = head[at++];
    let distance = byte & 0x7f;
    while (byte & 0x80 && at < 40) {
      byte = head[at++];
      distance = (distance + 1) * 128 + (byte & 0x7f);
    }
    if (distance <= 0 || distance > offset) throw damaged('a delta that points nowhere');
    base = readEntry(repository, pack, offset - distance, depth + 1);
  } else if (type === 7) {
    base = readObject(repository, head.toString('hex', at, at + 20), depth + 1);
    at += 20;
  }
  // How long the compressed data is nobody says: more is read until zlib has enough.
  for (let length = size + (size >> 3) + 1_024; ; length *= 2) {
    const bytes = readBytes(pack, offset + at, length);
    let data;
    try {
      data = zlib.inflateSync(bytes, { maxOutputLength: Math.max(size, 1) });
    } catch (error) {
      if (error.code === 'Z_BUF_ERROR' && bytes.length === length) continue;
      throw damaged('an object cannot be unpacked');
    }
    if (data.length !== size) throw damaged('an object has another size');
    return base === null ? { type: OBJECT_TYPES[type], data } : { type: base.type, data: applyDelta(base.data, data) };
  }
}

function applyDelta(base, delta) {
  let at = 0;
  const readSize = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = delta[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (!(byte & 0x80)) return value;
      if (at > 12) throw damaged('a delta without a size');
    }
  };
  if (readSize() !== base.length) throw damaged('a delta that does not fit');
  const size = readSize();
  if (size > LARGEST_OBJECT) throw damaged('a delta that no backup has');
  const out = Buffer.alloc(size);
  let done = 0;
  while (at < delta.length) {
    const command = delta[at++];
    if (command & 0x80) {
      let from = 0;
      let length = 0;
      for (let bit = 0; bit < 4; bit += 1) if (command & (1 << bit)) from += (delta[at++] ?? 0) * 256 ** bit;
      for (let bit = 0; bit < 3; bit += 1) if (command & (16 << bit)) length += (delta[at++] ?? 0) * 256 ** bit;
      length ||= 65_536;
      if (from + length > base.length || done + length > size) throw damaged('a delta that does not fit');
      base.copy(out, done, from, from + length);
      done += length;
    } else {
      if (command === 0 || at + command > delta.length || done + command > size)
        throw damaged('a delta that does not fit');
      delta.copy(out, done, at, at + command);
      at += command;
      done += command;
    }
  }
  if (done !== size) throw damaged('a delta that is cut off');
  return out;
}

function readObject(repository, oid, depth = 0) {
  let object = null;
  for (const pack of repository.packs) {
    const offset = findInPack(pack, oid);
    if (offset < 0) continue;
    object = readEntry(repository, pack, offset, depth);
    break;
  }
  if (object === null) {
    const file = join(repository.git, 'objects', oid.slice(0, 2), oid.slice(2));
    if (!existsSync(file)) throw damaged(`object ${oid} is missing`);
    let bytes;
    try {
      bytes = zlib.inflateSync(readFileSync(file), { maxOutputLength: LARGEST_OBJECT });
    } catch {
      throw damaged(`object ${oid} cannot be unpacked`);
    }
    const end = bytes.indexOf(0);
    object = { type: bytes.toString('latin1', 0, end).split(' ')[0], data: bytes.subarray(end + 1) };
  }
  const id = createHash('sha1').update(`${object.type} ${object.data.length}\0`).update(object.data).digest('hex');
  if (id !== oid) throw damaged(`object ${oid} is another one than its name says`);
  return object;
}

function readTyped(repository, oid, type) {
  const object = readObject(repository, oid);
  if (object.type !== type) throw damaged(`object ${oid} is a ${object.type} and not a ${type}`);
  return object.data;
}

function readTree(repository, oid) {
  const data = readTyped(repository, oid, 'tree');
  const entries = new Map();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(32, at);
    const end = data.indexOf(0, space);
    if (space < 0 || end < 0 || end + 21 > data.length) throw damaged('a tree is cut off');
    const mode = data.toString('latin1', at, space);
    const name = data.toString('utf8', space + 1, end);
    if ((mode !== '100644' && mode !== '40000') || entries.has(name))
      throw damaged('a tree has an entry that no backup has');
    entries.set(name, { isFolder: mode === '40000', oid: data.toString('hex', end + 1, end + 21) });
    at = end + 21;
  }
  return entries;
}

function readCommit(repository, oid) {
  const text = readTyped(repository, oid, 'commit').toString('utf8').split('\n\n')[0];
  const tree = /^tree ([0-9a-f]{40})$/m.exec(text)?.[1];
  if (tree === undefined) throw damaged('a commit has no tree');
  return { tree, parents: [...text.matchAll(/^parent ([0-9a-f]{40})$/gm)].map((match) => match[1]) };
}

function readRefs(repository) {
  const refs = new Map();
  const packed = join(repository.git, 'packed-refs');
  if (existsSync(packed)) {
    for (const [, oid, name] of readFileSync(packed, 'utf8').matchAll(/^([0-9a-f]{40}) (refs\/\S+)$/gm))
      refs.set(name, oid);
  }
  const walk = (name) => {
    const folder = join(repository.git, name);
    if (!existsSync(folder)) return;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) walk(`${name}/${entry.name}`);
      else {
        const oid = readFileSync(join(folder, entry.name), 'utf8').trim();
        if (isHex(oid, 40)) refs.set(`${name}/${entry.name}`, oid);
      }
    }
  };
  walk('refs');
  return refs;
}

const need = (tree, name, isFolder) => {
  const entry = tree.get(name);
  if (entry === undefined || entry.isFolder !== isFolder) throw damaged('an entry is missing');
  return entry.oid;
};

// ---- Keys and sealed objects -------------------------------------------------------------------------------------

function parseKey(text) {
  const trimmed = text.trim();
  const hex = trimmed.replace(/[\s:-]/g, '');
  if (/^[0-9a-f]{64}$/i.test(hex)) return { key: Buffer.from(hex, 'hex') };
  if (/^[A-Za-z0-9_+/-]{43}=?$/.test(trimmed)) return { key: Buffer.from(trimmed, 'base64url') };
  if (trimmed.length < 12) throw new Failure('The key has a form that cannot be used.', 64);
  return { passphrase: trimmed.normalize('NFC') };
}

const hkdf = (key, salt, info, length = 32) => Buffer.from(hkdfSync('sha256', key, salt, info, length));
const fingerprintOf = (key) =>
  hkdf(key, 'angles', 'angles backup fingerprint', 10).toString('hex').match(/.{4}/g).join('-');

function userKey(kdf, secret) {
  if (kdf.name === 'hkdf-sha256') return secret.key ?? null;
  if (kdf.name !== 'scrypt') throw new Failure('The backup uses a way to make keys that this program does not know.');
  if (secret.passphrase === undefined) return null;
  const { n, r, p, salt } = kdf;
  if (!(n >= 2 && (n & (n - 1)) === 0 && r >= 1 && r <= 32 && p >= 1 && p <= 8 && 128 * n * r <= 512 * 1_048_576)) {
    throw damaged('the cost of the passphrase is not one that any backup has');
  }
  return scryptSync(secret.passphrase, Buffer.from(salt, 'hex'), 32, {
    N: n,
    r,
    p,
    maxmem: 128 * n * r + 16 * 1_048_576,
  });
}

function unlock(format, secret) {
  if (format.format !== 1)
    throw new Failure(`The repository has format ${format.format}; this program reads format 1.`);
  if (format.slots.length === 0) {
    if (secret !== null)
      throw new Failure(
        'A key was given, and the repository is not encrypted. Run it without a key if that is meant to be.',
        7,
      );
    return null;
  }
  const wanted = format.slots.map((slot) => slot.fingerprint).join(' or ');
  if (secret === null) throw new Failure(`The backup needs the key ${wanted}: give it with --key-file.`, 7);
  let given = 'a passphrase';
  for (const slot of format.slots) {
    const key = userKey(slot.kdf, secret);
    if (key === null) continue;
    given = fingerprintOf(key);
    if (given !== slot.fingerprint) continue;
    const wrapped = Buffer.from(slot.wrapped, 'base64');
    const decipher = createDecipheriv(
      'aes-256-gcm',
      hkdf(key, format.repository, 'angles backup wrap'),
      Buffer.from(slot.nonce, 'base64'),
      { authTagLength: 16 },
    );
    decipher.setAAD(Buffer.from(`angles key slot 1 ${format.repository} ${slot.fingerprint}`));
    decipher.setAuthTag(wrapped.subarray(32));
    let master;
    try {
      master = Buffer.concat([decipher.update(wrapped.subarray(0, 32)), decipher.final()]);
    } catch {
      throw damaged('the wrapped key does not pass its check');
    }
    const derive = (use) => hkdf(master, format.repository, `angles backup ${use}`);
    const keys = { mac: derive('mac'), blob: derive('blob'), name: derive('name') };
    const canary = unseal(keys, Buffer.from(format.canary ?? '', 'base64'), KINDS.canary, 0);
    if (canary.body.toString() !== 'The canary of this repository is alive.')
      throw damaged('the canary says something else');
    return keys;
  }
  if (secret.key !== undefined && given === 'a passphrase') given = fingerprintOf(secret.key);
  throw new Failure(`The backup was written with the key ${wanted}; the key given is ${given}.`, 7);
}

const KINDS = { content: 1, chunk: 2, node: 3, rows: 4, tableIndex: 5, settings: 6, manifest: 7, canary: 8 };

function unseal(keys, sealed, kind, index) {
  if (sealed.length < 60 || sealed.toString('latin1', 0, 4) !== 'ANGB') throw damaged('an object has no header');
  if (sealed[4] !== 1) throw new Failure(`An object has format ${sealed[4]}; this program reads format 1.`);
  if (sealed[5] !== kind || sealed[6] > 1 || sealed[7] !== 0 || sealed.readUInt32BE(8) !== index)
    throw damaged('an object lies where another belongs');
  const seed = sealed.subarray(12, 44);
  const decipher = createDecipheriv(
    'aes-256-gcm',
    createHmac('sha256', keys.blob).update(seed).digest(),
    seed.subarray(0, 12),
    { authTagLength: 16 },
  );
  decipher.setAAD(sealed.subarray(0, 12));
  decipher.setAuthTag(sealed.subarray(-16));
  try {
    return {
      isZstd: sealed[6] === 1,
      body: Buffer.concat([decipher.update(sealed.subarray(44, -16)), decipher.final()]),
    };
  } catch {
    throw damaged('an object does not pass its check');
  }
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
function base32(bytes) {
  let text = '';
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  for (let at = 0; at < bits.length; at += 5) text += BASE32[Number.parseInt(bits.slice(at, at + 5).padEnd(5, '0'), 2)];
  return text;
}

function entryName(keys, name) {
  if (keys !== null) return base32(createHmac('sha256', keys.name).update(name).digest().subarray(0, 16));
  const isPlain =
    /^\.?[\p{L}\p{N}_][\p{L}\p{N} ._+@()&,'=#-]*$/u.test(name) &&
    !/^\.(git|angles)|[. ]$/i.test(name) &&
    Buffer.byteLength(name) <= 200;
  return isPlain ? name : `~${base32(createHash('sha256').update(name).digest().subarray(0, 16))}`;
}

function inflate(body, most) {
  if (zlib.zstdDecompressSync === undefined) throw new Failure('This needs Node.js 22.15 or newer.');
  try {
    return zlib.zstdDecompressSync(body, { maxOutputLength: Math.max(most, 1) });
  } catch {
    throw damaged('an object cannot be unpacked');
  }
}

// ---- Backups -----------------------------------------------------------------------------------------------------

const LARGEST_DATA = 256 * 1_048_576;

function readData(session, kind, oid, wantedSha256) {
  const blob = readTyped(session.repository, oid, 'blob');
  const plain = session.keys === null ? { isZstd: false, body: blob } : unseal(session.keys, blob, kind, 0);
  const data = plain.isZstd ? inflate(plain.body, LARGEST_DATA) : plain.body;
  if (wantedSha256 !== null && sha256(data) !== wantedSha256) throw damaged('an object lies where another belongs');
  return data;
}

function parseJson(bytes, what) {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw damaged(`${what} is not JSON`);
  }
}

function openBackup(session, commit) {
  const { tree, parents } = readCommit(session.repository, commit);
  const root = readTree(session.repository, tree);
  const angles = readTree(session.repository, need(root, 'angles', true));
  const bytes = readData(session, KINDS.manifest, need(angles, 'manifest', false), null);
  const manifest = parseJson(bytes, 'the manifest');
  if (manifest.format !== 1)
    throw new Failure(`The backup has format ${manifest.format}; this program reads format 1.`);
  if (manifest.repository !== session.format.repository) throw damaged('a manifest of another repository');
  if (parents.length > 1 || (parents[0] ?? null) !== manifest.parent)
    throw damaged('a manifest that belongs to another backup');
  return { commit, manifest, root, angles };
}

function readFormat(repository, commit) {
  const root = readTree(repository, readCommit(repository, commit).tree);
  const angles = root.get('angles');
  if (angles === undefined || !angles.isFolder) return null;
  const format = readTree(repository, angles.oid).get('format.json');
  return format === undefined ? null : parseJson(readTyped(repository, format.oid, 'blob'), 'format.json');
}

/** The entries of a folder, those of its parts together. */
function readFolder(session, treeOid, nodeSha256) {
  const tree = readTree(session.repository, treeOid);
  const node = parseJson(
    readData(session, KINDS.node, need(tree, session.keys === null ? '.angles-node.json' : 'node', false), nodeSha256),
    'a folder',
  );
  if (Array.isArray(node.fan)) {
    if (tree.size !== node.fan.length + 1) throw damaged('a folder has other parts than its node says');
    return node.fan.flatMap(({ p, h }) => readFolder(session, need(tree, p, true), h));
  }
  if (!Array.isArray(node.entries)) throw damaged('a folder has no entries');
  const names = new Set();
  let objects = 1;
  const entries = node.entries.map((entry) => {
    const { n, k } = entry;
    const isName = typeof n === 'string' && n !== '' && n !== '.' && n !== '..' && !/[/\0]/.test(n) && !names.has(n);
    if (!isName || !['f', 'd', 'l'].includes(k) || (k === 'f' && !(Number.isSafeInteger(entry.s) && entry.s >= 0)))
      throw damaged('an entry with an impossible name or size');
    if (process.platform === 'win32' && /[\\:]/.test(n)) throw damaged(`the name ${n} cannot be on this system`);
    names.add(n);
    if (k === 'l') return { entry, oid: null };
    objects += 1;
    return { entry, oid: need(tree, entryName(session.keys, n), k === 'd' || entry.c !== undefined) };
  });
  if (tree.size !== objects) throw damaged('a folder has other entries than its node says');
  return entries;
}

function* walk(session, treeOid, nodeSha256, path) {
  for (const { entry, oid } of readFolder(session, treeOid, nodeSha256)) {
    const below = path === '' ? entry.n : `${path}/${entry.n}`;
    yield { path: below, entry, oid };
    if (entry.k === 'd') yield* walk(session, oid, entry.h, below);
  }
}

/** Pieces of a content; its checksum is the caller's to compare. */
async function* readContent(session, oid, entry) {
  if (entry.c === undefined) {
    const blob = readTyped(session.repository, oid, 'blob');
    const plain = session.keys === null ? { isZstd: false, body: blob } : unseal(session.keys, blob, KINDS.content, 0);
    yield plain.isZstd ? inflate(plain.body, entry.s) : plain.body;
    return;
  }
  const tree = readTree(session.repository, oid);
  if (tree.size !== entry.c) throw damaged('a large file has another number of chunks');
  const chunk = (index) => {
    const blob = readTyped(session.repository, need(tree, String(index).padStart(6, '0'), false), 'blob');
    return session.keys === null ? { isZstd: false, body: blob } : unseal(session.keys, blob, KINDS.chunk, index);
  };
  const first = chunk(0);
  if (!first.isZstd) {
    for (let index = 0; index < entry.c; index += 1) yield (index === 0 ? first : chunk(index)).body;
    return;
  }
  const stream = zlib.createZstdDecompress();
  const feed = (async () => {
    for (let index = 0; index < entry.c; index += 1) {
      if (!stream.write(index === 0 ? first.body : chunk(index).body))
        await new Promise((done) => stream.once('drain', done));
    }
    stream.end();
  })();
  feed.catch((error) => stream.destroy(error));
  try {
    yield* stream;
  } catch (error) {
    throw error instanceof Failure ? error : damaged('a large file cannot be unpacked');
  }
}

/** Names are UTF-8, or hold bytes as characters U+F780..U+F7FF: see BACKUP-FORMAT.md, "Names". */
function toFsPath(path) {
  if (!/[\uf780-\uf7ff]/.test(path)) return path;
  return Buffer.concat(
    [...path].map((character) => {
      const code = character.charCodeAt(0);
      return code >= 0xf780 && code <= 0xf7ff ? Buffer.from([code - 0xf700]) : Buffer.from(character);
    }),
  );
}

// ---- Writing -----------------------------------------------------------------------------------------------------

/** Half a microsecond more: a double cut to microseconds must not fall below the right one. */
const seconds = (microseconds) => (microseconds + 0.5) / 1e6;

async function writeFile(session, target, temporary, { entry, oid }) {
  const descriptor = openSync(temporary, 'wx', 0o600);
  const digest = createHash('sha256');
  let size = 0;
  try {
    for await (const piece of readContent(session, oid, entry)) {
      digest.update(piece);
      size += piece.length;
      if (size > entry.s) break;
      for (let at = 0; at < piece.length; ) at += writeSync(descriptor, piece, at);
    }
    if (size !== entry.s || digest.digest('hex') !== entry.h) throw damaged('a content is another one');
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  chmodSync(temporary, entry.m & 0o777);
  utimesSync(temporary, seconds(entry.t), seconds(entry.t));
  renameSync(temporary, toFsPath(target));
}

/** Every folder on the way must be a real one below the target: none that somebody put a link in for meanwhile. */
function makeFolder(base, path) {
  let at = base;
  for (const name of path === '' ? [] : path.split('/')) {
    at = `${at}/${name}`;
    try {
      mkdirSync(toFsPath(at), { mode: 0o700 });
    } catch (error) {
      if (error.code !== 'EEXIST' || !lstatSync(toFsPath(at)).isDirectory()) throw new Failure(`${at} is in the way.`);
    }
  }
  return at;
}

function rootFolderName(root) {
  const name =
    root.path
      .split(/[\\/]/)
      .filter((each) => each !== '')
      .at(-1) ?? 'root';
  return `${name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '') || 'root'}-${root.rootId}`;
}

function isWanted(path, only) {
  return only.length === 0 || only.some((each) => path === each || path.startsWith(`${each}/`) || each === '');
}

async function restore(session, backup, options) {
  // Everything is proven before the first byte is written: reading twice costs less than a half restored folder.
  const plan = backup.manifest.roots.flatMap((root) => {
    const folder = rootFolderName(root);
    const entries = [...walk(session, need(backup.root, root.entry, true), root.node, '')];
    const wanted = entries.filter(({ path }) => isWanted(`${folder}/${path}`, options.only));
    return options.only.length > 0 && wanted.length === 0 ? [] : [{ root, folder, wanted }];
  });
  if (options.only.length > 0 && plan.length === 0)
    throw new Failure('Nothing in the backup has such a path: see --files.');
  const tables = options.tables ? readTables(session, backup) : [];
  for (const { wanted } of plan) await prove(session, wanted);
  const target = prepareTarget(options.to);
  let files = 0;
  for (const { root, folder, wanted } of plan) {
    makeFolder(target, `files/${folder}`);
    const folders = [];
    for (const { path, entry, oid } of wanted) {
      const slash = path.lastIndexOf('/');
      const inside = makeFolder(target, `files/${folder}${slash < 0 ? '' : `/${path.slice(0, slash)}`}`);
      const place = `${inside}/${entry.n}`;
      if (entry.k === 'd') folders.push({ place: makeFolder(target, `files/${folder}/${path}`), entry });
      else if (entry.k === 'l') symlinkSync(toFsPath(entry.g), toFsPath(place));
      else {
        await writeFile(session, place, join(target, '.restoring'), { entry, oid });
        files += 1;
        if (files % 1000 === 0) process.stderr.write(`${files} files\n`);
      }
    }
    // Last and from below: writing into a folder changes its time, and a read-only one could not be written into.
    folders.push({
      place: `${target}/files/${folder}`,
      entry: { m: root.mode ?? undefined, t: root.mtimeUs ?? undefined },
    });
    for (const { place, entry } of folders.sort((a, b) => b.place.length - a.place.length)) {
      chmodSync(toFsPath(place), entry.m === undefined ? 0o755 : entry.m & 0o777);
      if (entry.t !== undefined) utimesSync(toFsPath(place), seconds(entry.t), seconds(entry.t));
    }
  }
  if (options.tables && options.only.length === 0) {
    makeFolder(target, 'tables');
    for (const { name, rows } of tables)
      writeJson(join(target, 'tables', `${name}.json`), { table: name, rows: rows.length, data: rows });
    writeJson(
      join(target, 'tables', 'settings.json'),
      parseJson(
        readData(session, KINDS.settings, need(backup.angles, 'settings', false), backup.manifest.settings),
        'the settings',
      ),
    );
  }
  process.stdout.write(`Restored ${files} files to ${target}\n`);
}

function writeJson(file, value) {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(value, null, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function prepareTarget(to) {
  const folder = resolve(to);
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0))
    throw new Failure(`${folder} is not an empty folder.`, 64);
  mkdirSync(folder, { recursive: true });
  return realpathSync(folder);
}

function readTables(session, backup) {
  const folder = readTree(session.repository, need(backup.angles, 'tables', true));
  return backup.manifest.tables.map(({ name, index, rows: count }) => {
    if (!/^[a-z_]{1,64}$/.test(name)) throw damaged('a table with an impossible name');
    const tree = readTree(session.repository, need(folder, name, true));
    const list = parseJson(
      readData(session, KINDS.tableIndex, need(tree, 'index', false), index),
      'the list of a table',
    );
    const rows = list.chunks.flatMap(({ chunk, sha256: hash }) =>
      readData(session, KINDS.rows, need(tree, chunk, false), hash)
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    );
    if (rows.length !== count) throw damaged(`the table ${name} has another number of rows`);
    return { name, rows };
  });
}

// ---- Commands ----------------------------------------------------------------------------------------------------

function readSecret(options) {
  if (options['key-file'] !== undefined)
    return parseKey(readFileSync(options['key-file'] === '-' ? 0 : options['key-file'], 'utf8'));
  const text = process.env.BACKUP_ENCRYPTION_KEY;
  return text === undefined || text === '' ? null : parseKey(text);
}

/** Branches of a clone are below refs/remotes; every one is a device. */
function openSessions(repository, secret) {
  const sessions = [];
  let failure = null;
  for (const [name, tip] of readRefs(repository)) {
    if (!/^refs\/(heads|remotes\/[^/]+)\/(?!HEAD$)/.test(name)) continue;
    const format = readFormat(repository, tip);
    if (format === null) continue;
    try {
      sessions.push({
        repository,
        format,
        branch: name.replace(/^refs\/(heads|remotes\/[^/]+)\//, ''),
        tip,
        keys: unlock(format, secret),
      });
    } catch (error) {
      failure ??= error;
    }
  }
  if (sessions.length === 0) throw failure ?? new Failure('There is no backup in this repository.', 64);
  return sessions;
}

function* history(session) {
  for (let commit = session.tip; commit !== null; ) {
    const backup = openBackup(session, commit);
    yield backup;
    commit = backup.manifest.parent;
  }
}

function choose(sessions, wanted) {
  if (wanted === undefined) {
    const all = sessions.map((session) => ({ session, backup: openBackup(session, session.tip) }));
    return all.sort((a, b) => b.backup.manifest.createdAtMs - a.backup.manifest.createdAtMs)[0];
  }
  for (const session of sessions) {
    if (session.branch === wanted) return { session, backup: openBackup(session, session.tip) };
    for (const backup of history(session)) {
      if (backup.manifest.tag === wanted || (wanted.length >= 4 && backup.commit.startsWith(wanted)))
        return { session, backup };
    }
  }
  throw new Failure(`There is no backup ${wanted}: see --list.`, 64);
}

/** Reads every wanted content once and compares its checksum. */
async function prove(session, entries) {
  const proven = new Map();
  for (const { entry, oid } of entries) {
    if (entry.k !== 'f') continue;
    if (proven.has(oid)) {
      if (proven.get(oid) !== entry.h) throw damaged('two contents lie in one object');
      continue;
    }
    const digest = createHash('sha256');
    let size = 0;
    for await (const piece of readContent(session, oid, entry)) {
      digest.update(piece);
      size += piece.length;
      if (size > entry.s) break;
    }
    if (size !== entry.s || digest.digest('hex') !== entry.h) throw damaged('a content is another one');
    proven.set(oid, entry.h);
  }
}

async function verify(session, backup) {
  let files = 0;
  for (const root of backup.manifest.roots) {
    const entries = [...walk(session, need(backup.root, root.entry, true), root.node, '')];
    await prove(session, entries);
    files += entries.filter(({ entry }) => entry.k === 'f').length;
  }
  if (files !== backup.manifest.files) throw damaged('the manifest counts other files');
  const rows = readTables(session, backup).reduce((sum, table) => sum + table.rows.length, 0);
  process.stdout.write(`The backup ${backup.commit.slice(0, 8)} is whole: ${files} files, ${rows} rows.\n`);
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      files: { type: 'boolean' },
      verify: { type: 'boolean' },
      help: { type: 'boolean' },
      to: { type: 'string' },
      backup: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      'key-file': { type: 'string' },
      'no-tables': { type: 'boolean' },
    },
  });
  if (values.help || positionals.length !== 1) {
    process.stdout.write(HELP);
    process.exitCode = values.help ? 0 : 64;
    return;
  }
  const sessions = openSessions(openRepository(positionals[0]), readSecret(values));
  if (values.list) {
    for (const session of sessions) {
      process.stdout.write(`${session.branch}\n`);
      for (const { commit, manifest } of history(session)) {
        const size = (manifest.sizeBytes / 1e6).toFixed(1);
        process.stdout.write(
          `  ${commit.slice(0, 12)}  ${new Date(manifest.createdAtMs).toISOString()}  ${manifest.files} files, ${size} MB${manifest.tag === null ? '' : `  [${manifest.tag}]`}\n`,
        );
      }
    }
    return;
  }
  const { session, backup } = choose(sessions, values.backup);
  if (values.files) {
    for (const root of backup.manifest.roots) {
      const folder = rootFolderName(root);
      for (const { path, entry } of walk(session, need(backup.root, root.entry, true), root.node, '')) {
        if (entry.k !== 'd') process.stdout.write(`${folder}/${path}\n`);
      }
    }
  } else if (values.verify) await verify(session, backup);
  else if (values.to !== undefined) {
    await restore(session, backup, {
      to: values.to,
      only: values.only.map((path) => path.replace(/\/+$/, '')),
      tables: !values['no-tables'],
    });
  } else {
    process.stdout.write(HELP);
    process.exitCode = 64;
  }
}

main().catch((error) => {
  process.stderr.write(
    `${error instanceof Failure ? error.message : error.code?.startsWith?.('ERR_PARSE_ARGS') ? `${error.message}\n\n${HELP}` : error.stack}\n`,
  );
  process.exitCode = error instanceof Failure ? error.exitCode : error.code?.startsWith?.('ERR_PARSE_ARGS') ? 64 : 1;
});
