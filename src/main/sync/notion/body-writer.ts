/** Carries out the plan of a body, one request after the other. Interrupted anywhere, planning again goes on. */
import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import type { BodyNode } from './body.ts';
import type { BodyPlan } from './body-plan.ts';
import { nodeOf } from './body-reader.ts';
import type { NotionApi } from './notion-api.ts';
import { batchesOf, blockRequest } from './text-blocks.ts';
import { blockListShape, blockShape, type NotionBlock } from './wire.ts';

/** How many requests a plan takes; with more than one, the page says meanwhile that its text is half written. */
export function requestsOf(plan: BodyPlan): number {
  if (plan.kind === 'nothing' || plan.kind === 'blocked') return 0;
  return plan.kind === 'update' ? 1 : batchesOf(plan.inserts).length + plan.deletes.length;
}

type Children = Parameters<import('@notionhq/client').Client['blocks']['children']['append']>[0]['children'];

/** Adds blocks behind others, in as many requests as they need. */
export async function appendBlocks(
  api: NotionApi,
  pageId: string,
  batches: readonly Record<string, unknown>[][],
  after: string | null,
  signal: AbortSignal,
): Promise<void> {
  let anchor = after;
  for (const children of batches) {
    const behind = anchor;
    const added = await api.call(
      'adding to the text of a page',
      blockListShape,
      (client) =>
        client.blocks.children.append({
          block_id: pageId,
          children: children as Children,
          ...(behind === null ? {} : { after: behind }),
        }),
      signal,
    );
    if (anchor !== null) anchor = added.results[children.length - 1]?.id ?? anchor;
  }
}

/**
 * Removes a block as it was read. When a person changed its words in the meantime it is put back, and false given: a
 * deletion answers with what it deleted, so that this much can be undone.
 */
async function removeBlock(api: NotionApi, node: BodyNode, signal: AbortSignal): Promise<boolean> {
  const { id } = node;
  if (id === null) return true;
  let removed: NotionBlock;
  try {
    removed = await api.call(
      'removing from the text of a page',
      blockShape,
      (client) => client.blocks.delete({ block_id: id }),
      signal,
    );
  } catch (cause) {
    // Gone already: an earlier try did it, and its answer was lost.
    if (cause instanceof AppError && cause.code === 'remote.not_shared') return true;
    throw cause;
  }
  const { text, checked } = nodeOf(removed, []);
  // An answer without the words of the block says nothing.
  if (removed[removed.type] === undefined || (text === node.text && checked === node.checked)) return true;
  await api.call(
    'putting back an edited part of a page',
    z.looseObject({ object: z.literal('block') }),
    (client) => client.blocks.update({ block_id: id, in_trash: false }),
    signal,
  );
  return false;
}

async function updateBlock(api: NotionApi, id: string, node: BodyNode, signal: AbortSignal): Promise<void> {
  const block = { block_id: id, ...blockRequest(node) } as Parameters<
    import('@notionhq/client').Client['blocks']['update']
  >[0];
  await api.call(
    'changing the text of a page',
    z.looseObject({ object: z.literal('block') }),
    (client) => client.blocks.update(block),
    signal,
  );
}

/** Gives false when it stopped at an edit that a person made meanwhile; that edit is still there. */
export async function carryOut(api: NotionApi, pageId: string, plan: BodyPlan, signal: AbortSignal): Promise<boolean> {
  if (plan.kind === 'update') await updateBlock(api, plan.id, plan.node, signal);
  if (plan.kind !== 'rewrite') return true;
  await appendBlocks(api, pageId, batchesOf(plan.inserts), plan.after, signal);
  for (const node of plan.deletes) if (!(await removeBlock(api, node, signal))) return false;
  return true;
}
