/** The README.md in every repository: for whoever finds it without Angles. */
export function readmeText(isEncrypted: boolean): string {
  return `# Backups made by Angles

Each commit on a branch \`device/...\` is one backup of one computer. ${
    isEncrypted
      ? 'Contents and names are encrypted with AES-256-GCM; the key is on the recovery kit of its owner.'
      : 'Nothing in here is encrypted; passwords and keys that were found in files have been taken out.'
  }

To get the files back with nothing but Node.js (22.15 or newer) and ${isEncrypted ? 'the key' : 'this repository'}:

    git clone --bare URL backup.git
    git --git-dir backup.git show BRANCH:restore.mjs > restore.mjs
    node restore.mjs backup.git --list${isEncrypted ? ' --key-file KEYFILE' : ''}
    node restore.mjs backup.git --to EMPTY-FOLDER${isEncrypted ? ' --key-file KEYFILE' : ''}

\`node restore.mjs --help\` says more. Please do not commit to these branches: Angles would stop pushing to them.
`;
}
