import { expect, test } from 'vitest';
import { createRedactor } from '../../../src/main/privacy/redactor.ts';
import { installedTexts, labelledSecrets, ordinaryTexts } from '../../support/secret-corpus.ts';
import { createRandom } from '../../support/writer-random.ts';

const SEED = process.env.SEED ?? '1';
const SECRETS = Number(process.env.SECRETS ?? 300);
const redactor = createRedactor({ secrets: () => [] });

/** Whether 8 characters of the secret in a row are still there. */
function isLeft(text: string, secret: string): boolean {
  const length = Math.min(8, secret.length);
  for (let at = 0; at + length <= secret.length; at += 1) {
    if (text.includes(secret.slice(at, at + length))) return true;
  }
  return false;
}

const counts = (what: string, some: number, all: number): string =>
  `${what}: ${some} of ${all} (${((some / all) * 100).toFixed(2)} %), SEED=${SEED}\n`;

test('at least 95 in 100 labelled secrets are replaced, no part of them is left', { timeout: 180_000 }, async () => {
  const labelled = labelledSecrets(createRandom(SEED), SECRETS);
  expect(labelled.length).toBeGreaterThanOrEqual(300);
  expect(labelled.filter(({ text, secret }) => !text.includes(secret))).toEqual([]);
  const missed = labelled.filter(({ text, secret }) => isLeft(redactor.redact(text).text, secret));
  let thoroughly = 0;
  for (const { text, secret } of labelled) {
    if (!isLeft((await redactor.redactThoroughly(text)).text, secret)) thoroughly += 1;
  }
  process.stdout.write(counts('secrets found by own patterns', labelled.length - missed.length, labelled.length));
  process.stdout.write(counts('secrets found thoroughly', thoroughly, labelled.length));
  expect(missed.length / labelled.length, missed.map(({ label }) => label).join('; ')).toBeLessThanOrEqual(0.05);
  expect(thoroughly).toBeGreaterThanOrEqual(labelled.length - missed.length);
});

test('at most 2 in 100 ordinary texts are touched', { timeout: 180_000 }, async () => {
  const random = createRandom(SEED);
  const ordinary = [...installedTexts(random, 1_600), ...ordinaryTexts(random, 640)];
  expect(ordinary.length).toBeGreaterThanOrEqual(2_000);
  const touched: string[] = [];
  let own = 0;
  for (const { label, text } of ordinary) {
    if (redactor.find(text).length > 0) own += 1;
    const result = await redactor.redactThoroughly(text);
    if (result.redactions > 0) touched.push(`${label} (${result.kinds.join(', ')})`);
    else expect(result.text).toBe(text);
  }
  process.stdout.write(counts('ordinary texts touched by own patterns', own, ordinary.length));
  process.stdout.write(counts('ordinary texts touched thoroughly', touched.length, ordinary.length));
  expect(touched.length / ordinary.length, touched.join('; ')).toBeLessThanOrEqual(0.02);
});

test('made texts without a secret are not touched at all', () => {
  const touched = ordinaryTexts(createRandom(SEED), 320).filter(({ text }) => redactor.find(text).length > 0);
  expect(touched.map(({ label, text }) => [label, redactor.redact(text).text])).toEqual([]);
});
