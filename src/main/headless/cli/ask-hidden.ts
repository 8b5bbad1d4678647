/** One line typed by a person that the terminal does not show; null at the end of input and on Ctrl-C. */
export function askHidden(question: string): Promise<string | null> {
  // Not by `import`: in the built program every command would load them.
  const { createInterface } = process.getBuiltinModule('node:readline');
  const { Writable } = process.getBuiltinModule('node:stream');
  return new Promise((resolve) => {
    // The terminal echoes nothing while readline has it, and what readline itself would draw goes nowhere.
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
    // Only now: what is typed from here on is not shown.
    process.stderr.write(question);
    reader.once('line', (line) => {
      resolve(line);
      reader.close();
    });
    reader.once('close', () => {
      process.stderr.write('\n');
      resolve(null);
    });
  });
}
