import { defineConfig } from 'vitest/config';

/** Unit tests run side by side; tests that break machines or need the whole one run one after the other. */
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
          include: ['test/{e2e,faults,docs}/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
