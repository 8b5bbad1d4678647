import chokidar from 'chokidar';

const started = performance.now();
chokidar.watch(process.argv[2], { ignoreInitial: true }).on('ready', () => {
  const readyMs = performance.now() - started;
  console.log(JSON.stringify({ readyMs, rssMb: process.memoryUsage().rss / 1_048_576 }));
  process.exit();
});
