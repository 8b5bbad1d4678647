import { defineConfig } from 'vitest/config';

/** Faults of things that mostly wait: they bear company. */
const SIDE_BY_SIDE = ['test/faults/{sync,restore,backup}-*.test.ts'];

/** Tests of units and of whole programs run two at a time; those that break the machine under a watch run alone. */
// biome-ignore lint/style/noDefaultExport: the runner asks for one
export default defineConfig({
  test: {
    reporters: process.env.ANGLES_TEST_SUMMARY
      ? ['default', ['json', { outputFile: process.env.ANGLES_TEST_SUMMARY }]]
      : ['default'],
    // How long something may take is asked by benchmarks, on machines that are not shared.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/{main,shared,renderer}/**/*.test.ts'],
          testTimeout: 30_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/{e2e,docs}/**/*.test.ts', ...SIDE_BY_SIDE],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/faults/**/*.test.ts'],
          exclude: SIDE_BY_SIDE,
          testTimeout: 300_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
