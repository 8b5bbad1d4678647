/** The page of the stand-in: a table of what each data source holds, with a form a row, so that a person can edit. */
import { pageAnswer } from './answers.ts';
import type { Json, Page, State } from './state.ts';

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

function shown(value: Json): string {
  const inner = value[String(value.type)];
  if (Array.isArray(inner))
    return inner.map((one) => String(one.plain_text ?? one.name ?? '')).join(value.type === 'multi_select' ? '; ' : '');
  if (typeof inner === 'object' && inner !== null) return String((inner as Json).name ?? (inner as Json).start ?? '');
  return inner === null || inner === undefined ? '' : String(inner);
}

const EDITABLE = ['title', 'rich_text', 'select', 'multi_select', 'date'];

function bodyText(state: State, page: Page): string {
  return page.children
    .map((id) => {
      const block = state.blocks.get(id);
      const rich = (block?.payload.rich_text ?? []) as Json[];
      return `${block?.type === 'paragraph' ? '' : `[${block?.type}] `}${rich.map((one) => String(one.plain_text)).join('')}`;
    })
    .join('\n\n');
}

function row(state: State, page: Page): string {
  const properties = Object.entries(pageAnswer(state, page).properties as Record<string, Json>);
  const cells = properties.map(([name, value]) => {
    const type = String(value.type);
    return EDITABLE.includes(type)
      ? `<td><input aria-label="${escapeHtml(name)}" data-name="${escapeHtml(name)}" data-type="${type}" value="${escapeHtml(shown(value))}"></td>`
      : `<td>${escapeHtml(shown(value))}</td>`;
  });
  return `<tr data-page="${page.id}"${page.inTrash ? ' class="trash"' : ''}>${cells.join('')}
<td><textarea aria-label="Text" readonly>${escapeHtml(bodyText(state, page))}</textarea></td>
<td><button data-do="save">Save</button> <button data-do="text">Add a paragraph</button>
<button data-do="${page.inTrash ? 'restore' : 'trash'}">${page.inTrash ? 'Restore' : 'Trash'}</button> <button data-do="duplicate">Duplicate</button></td></tr>`;
}

const SCRIPT = `
const call = (op, args) => fetch('/_control', {method: 'POST', body: JSON.stringify({op, ...args})}).then(async (r) => { if (!r.ok) alert(await r.text()); });
document.addEventListener('click', async (event) => {
  const what = event.target.dataset?.do; if (!what) return;
  const row = event.target.closest('tr'); const pageId = row?.dataset.page;
  if (what === 'save') {
    const properties = {};
    for (const input of row.querySelectorAll('input')) {
      if (input.value === input.defaultValue) continue;
      properties[input.dataset.name] = input.dataset.type === 'multi_select' ? input.value.split(';').map((s) => s.trim()).filter(Boolean) : input.value;
    }
    await call('set', {pageId, properties});
  } else if (what === 'text') {
    const content = prompt('Paragraph'); if (!content) return;
    await call('append', {pageId, blocks: [{paragraph: {rich_text: [{text: {content}}]}}]});
  } else if (what === 'new') {
    const title = prompt('Title'); if (!title) return;
    await call('page', {dataSourceId: event.target.dataset.source, properties: {[event.target.dataset.title]: title}});
  } else await call(what, {pageId});
  location.reload();
});`;

export function renderPage(state: State): string {
  const tables = [...state.dataSources.values()].map((source) => {
    const pages = [...state.pages.values()].filter((page) => page.parent.id === source.id);
    const title = source.properties.find(({ type }) => type === 'title')?.name ?? 'Name';
    const heads = source.properties.map(({ name }) => `<th>${escapeHtml(name)}</th>`).join('');
    return `<h2>${escapeHtml(source.name)}</h2><p>${pages.length} pages <button data-do="new" data-source="${source.id}" data-title="${escapeHtml(title)}">New</button></p>
<div class="wide"><table><tr>${heads}<th>Text</th><th></th></tr>${pages.map((page) => row(state, page)).join('')}</table></div>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Notion, stand-in</title>
<style>body{font:14px system-ui;margin:24px}table{border-collapse:collapse}td,th{border:1px solid #ddd;padding:4px;text-align:left;vertical-align:top}.trash{opacity:.5}.wide{overflow:auto}input{border:0;min-width:9em}textarea{width:24em;height:4em;border:0}</style>
<h1>Notion, stand-in</h1><p>Not the real service: a process of this machine that behaves like its API. Edits here arrive in Angles like edits in Notion.</p>
${tables.join('')}<script>${SCRIPT}</script></html>`;
}
