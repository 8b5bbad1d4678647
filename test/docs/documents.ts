/** Reads the documents as a person does: commands, tables, links. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/main/package-root.ts';

export const ROOT = packageRoot();

export const readDocument = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** A plain JavaScript module of the project, with the type that its user gives it. */
export const load = async <T>(path: string): Promise<T> => (await import(pathToFileURL(join(ROOT, path)).href)) as T;

/** The fenced blocks of a language, in their order. */
export function fencedBlocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, body]) =>
    name === language && body !== undefined ? [body] : [],
  );
}

/** The rows of every table whose first heading is this; a cell is its text without the marks of code. */
export function tableRows(text: string, firstHeading: string): string[][] {
  const tables = text.split(/\n(?!\|)/).filter((part) => part.trimStart().startsWith(`| ${firstHeading} |`));
  return tables.flatMap((table) => table.trim().split('\n').slice(2).map(cellsOf));
}

function cellsOf(line: string): string[] {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll('`', '').replaceAll('\\|', '|'));
}

/** Inline code and the lines of `sh` blocks: everything that names a command. */
export function codeOf(text: string): string[] {
  const withoutBlocks = text.replace(/^```[\s\S]*?^```$/gm, '');
  const inline = [...withoutBlocks.matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) => code ?? []);
  return [...inline, ...fencedBlocks(text, 'sh').flatMap((block) => block.trim().split('\n'))];
}

/** Files that a document links to or shows, as paths inside the project. */
export function linkedFiles(path: string): string[] {
  const text = readDocument(path);
  const found = [...text.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/(?:src|srcset|href)="([^"]+)"/g)];
  return found
    .flatMap(([, target]) => target ?? [])
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => join(dirname(path), target.split('#')[0] ?? ''));
}
