/** How smoothly 100,000 activities scroll: counted from Chromium's own trace, over sample data, once all are read. */
import { openBench, visit } from '../test/support/dashboard.ts';

const ROWS = 100_000;
const PIXELS = 40_000;
const PIXELS_A_SECOND = 8_000;

/** Frames that Chromium drew while the list was scrolled, and the seconds that took. */
export async function scrollActivities() {
  const bench = await openBench();
  try {
    const visited = await visit(bench, { activities: ROWS });
    const { page, context } = visited;
    page.setDefaultTimeout(300_000);
    await visited.goTo('#/activity');
    const list = page.getByRole('grid');
    await list.evaluate(async (grid, rows) => {
      while (Number(grid.getAttribute('aria-rowcount')) < rows) {
        grid.scrollTop = grid.scrollHeight;
        await new Promise((drawn) => requestAnimationFrame(drawn));
      }
      grid.scrollTop = 0;
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    }, ROWS);
    const box = await list.boundingBox();
    const session = await context.newCDPSession(page);
    const events = [];
    session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
    const ended = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
    await session.send('Tracing.start', {
      traceConfig: { includedCategories: ['devtools.timeline', 'disabled-by-default-devtools.timeline.frame'] },
      transferMode: 'ReportEvents',
    });
    await session.send('Input.synthesizeScrollGesture', {
      x: Math.round(box.x + box.width / 2),
      y: Math.round(box.y + box.height / 2),
      yDistance: -PIXELS,
      speed: PIXELS_A_SECOND,
      gestureSourceType: 'mouse',
    });
    await session.send('Tracing.end');
    await ended;
    const scrolled = await list.evaluate((grid) => grid.scrollTop);
    if (scrolled < PIXELS * 0.9) throw new Error(`the list was scrolled by ${scrolled} pixels only`);
    const drawn = events
      .filter(({ name }) => name === 'DrawFrame')
      .map(({ ts }) => ts / 1_000)
      .sort((a, b) => a - b);
    const gaps = drawn.slice(1).map((at, index) => at - drawn[index]);
    await visited.close();
    return { frames: drawn.length, seconds: (drawn.at(-1) - drawn[0]) / 1_000, gaps };
  } finally {
    await bench.close();
  }
}
