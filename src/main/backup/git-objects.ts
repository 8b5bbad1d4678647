/** The objects of a bare repository: what is in its packs, and loose ones that git itself may have written. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { damaged } from './crypto.ts';
import { type ObjectType, typeName } from './pack-format.ts';
import { type GitObject, openPack, type PackReader } from './pack-reader.ts';
import { objectId, TEMPORARY_PREFIX } from './pack-writer.ts';

export type { GitObject } from './pack-reader.ts';

export type GitObjects = {
  readonly packFolder: string;
  readonly has: (oid: Buffer) => boolean;
  /** Proven by its id. Throws `backup.damaged` when it is missing or wrong. */
  readonly read: (oid: string, type: ObjectType) => Buffer;
  /** Like {@link GitObjects.read}; undefined when it is not there. */
  readonly find: (oid: string) => GitObject | undefined;
  /** Which pack, and where in it: what is read in this order is read from front to back. */
  readonly place: (oid: string) => { readonly pack: number; readonly offset: number };
  /** The compressed entry of a pack, when the object is whole in one. */
  readonly raw: (oid: string) => { readonly entry: Buffer; readonly oid: Buffer } | null;
  readonly startingWith: (hex: string) => readonly string[];
  readonly packs: () => readonly PackReader[];
  /** Learns of packs that came or went. */
  readonly refresh: () => void;
  readonly sizeBytes: () => number;
  readonly close: () => void;
};

/**
 * @param isSealed every object is encrypted, and whoever reads it proves it by its key: then its id is not looked at,
 * which costs as much again
 */
export function openGitObjects(gitFolder: string, { isSealed } = { isSealed: false }): GitObjects {
  const objectsFolder = join(gitFolder, 'objects');
  const packFolder = join(objectsFolder, 'pack');
  let packs: PackReader[] = [];
  let last = 0;
  /** Loose objects come from git itself, if at all: most repositories have none. */
  let hasLoose = false;

  const refresh = (): void => {
    const names = listPacks(packFolder);
    const wanted = new Set(names);
    const kept = packs.filter((pack) => wanted.has(pack.name));
    for (const pack of packs) if (!wanted.has(pack.name)) pack.close();
    const known = new Set(kept.map((pack) => pack.name));
    const added: PackReader[] = [];
    for (const name of names) if (!known.has(name)) added.push(openPack(join(packFolder, name), name));
    packs = [...kept, ...added];
    last = 0;
    hasLoose = readdirSync(objectsFolder).some((name) => /^[0-9a-f]{2}$/.test(name));
  };
  /** The pack that had the last object is asked first: what belongs together lies together. */
  const locate = (oid: Buffer): { pack: number; offset: number } | null => {
    for (let step = 0; step < packs.length; step += 1) {
      const number = (last + step) % packs.length;
      const offset = (packs[number] as PackReader).index.find(oid);
      if (offset >= 0) {
        last = number;
        return { pack: number, offset };
      }
    }
    return null;
  };
  const find = (oid: string): GitObject | undefined => {
    const place = locate(Buffer.from(oid, 'hex'));
    const object =
      place === null
        ? readLoose(objectsFolder, oid)
        : (packs[place.pack] as PackReader).readAt(place.offset, (base) => {
            const found = find(base.toString('hex'));
            if (found === undefined) throw damaged(`object ${base.toString('hex')} is missing`);
            return found;
          });
    if (!isSealed && object !== undefined && objectId(object.type, object.data).toString('hex') !== oid) {
      throw damaged(`object ${oid} is another one than its name says`);
    }
    return object;
  };
  refresh();
  return {
    packFolder,
    refresh,
    find,
    has: (oid) =>
      locate(oid) !== null || (hasLoose && readLooseBytes(objectsFolder, oid.toString('hex')) !== undefined),
    read: (oid, type) => {
      const object = find(oid);
      if (object === undefined) throw damaged(`object ${oid} is missing`);
      if (object.type !== type) throw damaged(`object ${oid} is a ${object.type} instead of a ${type}`);
      return object.data;
    },
    place: (oid) => locate(Buffer.from(oid, 'hex')) ?? { pack: packs.length, offset: 0 },
    raw: (oid) => {
      const bytes = Buffer.from(oid, 'hex');
      const place = locate(bytes);
      if (place === null) return null;
      const entry = (packs[place.pack] as PackReader).rawAt(place.offset);
      return entry === null ? null : { entry, oid: bytes };
    },
    startingWith: (hex) => {
      const found = new Set(packs.flatMap((pack) => pack.index.startingWith(hex).map((oid) => oid.toString('hex'))));
      for (const oid of looseStartingWith(objectsFolder, hex)) found.add(oid);
      return [...found];
    },
    packs: () => packs,
    sizeBytes: () =>
      packs.reduce((sum, pack) => sum + pack.sizeBytes + statSync(join(packFolder, `${pack.name}.idx`)).size, 0),
    close: () => {
      for (const pack of packs) pack.close();
      packs = [];
    },
  };
}

/** Names of the packs that have an index: others are not there yet, or were left by a writer that was killed. */
export function listPacks(packFolder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(packFolder);
  } catch (cause) {
    throw damaged('the folder of its packs cannot be read', cause);
  }
  const all = new Set(names);
  return names
    .filter((name) => name.startsWith('pack-') && name.endsWith('.idx'))
    .map((name) => name.slice(0, -'.idx'.length))
    .filter((name) => all.has(`${name}.pack`))
    .sort();
}

/** What a killed writer left. Only the one writer of the repository may call this. */
export function removeLeftovers(packFolder: string): void {
  const names = new Set(readdirSync(packFolder));
  for (const name of names) {
    const isOrphan = name.startsWith('pack-') && name.endsWith('.pack') && !names.has(`${name.slice(0, -5)}.idx`);
    if (name.startsWith(TEMPORARY_PREFIX) || name.startsWith('tmp_idx_') || isOrphan) {
      rmSync(join(packFolder, name), { force: true });
    }
  }
}

function readLooseBytes(objectsFolder: string, oid: string): Buffer | undefined {
  try {
    return readFileSync(join(objectsFolder, oid.slice(0, 2), oid.slice(2)));
  } catch {
    return undefined;
  }
}

function readLoose(objectsFolder: string, oid: string): GitObject | undefined {
  const bytes = readLooseBytes(objectsFolder, oid);
  if (bytes === undefined) return undefined;
  let inflated: Buffer;
  try {
    inflated = inflateSync(bytes, { maxOutputLength: 512 * 1_048_576 });
  } catch (cause) {
    throw damaged(`object ${oid} cannot be unpacked`, cause);
  }
  const end = inflated.indexOf(0);
  const [name, size] = inflated.toString('latin1', 0, Math.max(end, 0)).split(' ');
  const type = [1, 2, 3, 4].map(typeName).find((each) => each === name);
  const data = inflated.subarray(end + 1);
  if (type === undefined || Number(size) !== data.length) throw damaged(`object ${oid} has no header`);
  return { type, data };
}

function looseStartingWith(objectsFolder: string, hex: string): string[] {
  try {
    return readdirSync(join(objectsFolder, hex.slice(0, 2)))
      .map((name) => hex.slice(0, 2) + name)
      .filter((oid) => /^[0-9a-f]{40}$/.test(oid) && oid.startsWith(hex));
  } catch {
    return [];
  }
}
