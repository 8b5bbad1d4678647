import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { AppError } from '../../../shared/errors.ts';
import { describeKey } from './backup-text.ts';
import { confirm, define, describe, type Runner, yesOption } from './define.ts';
import { displayPath } from './format.ts';
import { keyFileOption, keyOfKit, readKey } from './key-file.ts';

export function addKey(program: Command, runner: Runner): void {
  const group = describe(program.command('key'), {
    summary: 'The key of your backups: show, save, confirm and replace it',
    examples: ['angles key', 'angles key kit', 'angles key confirm', 'angles key import --key-file kit.txt'],
  });
  addShow(group, runner);
  addKit(group, runner);
  addConfirm(group, runner);
  addImport(group, runner);
  addRotate(group, runner);
}

function addShow(group: Command, runner: Runner): void {
  define(
    group,
    runner,
    {
      usage: 'show',
      summary: 'Show where the key comes from and its fingerprint, never the key',
      examples: ['angles key show', 'angles key show --json'],
    },
    (context) =>
      context.withAgent(async (client) => {
        const key = await client.call('key.show', {});
        context.answer({ key }, () => describeKey(context, key));
      }),
  );
}

function addKit(group: Command, runner: Runner): void {
  define<{ out?: string }>(
    group,
    runner,
    {
      usage: 'kit',
      summary: 'Print the recovery kit: the key, and how to restore with it',
      examples: ['angles key kit', 'angles key kit --out /media/usb/angles-kit.txt'],
      notes:
        'Whoever has the kit can read your backups; without it nobody can. Keep it where this machine is not:\nprint it, or put it into your password manager. Then: `angles key confirm`.',
      options: [new Option('--out <path>', 'write it to this new file, readable for you only')],
    },
    (context, _args, { out }) =>
      context.withAgent(async (client) => {
        const kit = await client.call('key.kit', {});
        if (out === undefined) {
          context.answer(kit, () => kit.text.split('\n'));
          return;
        }
        const path = resolve(context.io.cwd, out);
        try {
          writeFileSync(path, kit.text, { flag: 'wx', mode: 0o600, flush: true });
        } catch (cause) {
          throw new AppError('file.unwritable', `${displayPath(path)} cannot be written: ${(cause as Error).message}`, {
            cause,
          });
        }
        context.answer({ writtenTo: path, fingerprint: kit.fingerprint }, () => [
          `Wrote the recovery kit to ${displayPath(path)}. Move it where this machine is not, then: angles key confirm`,
        ]);
      }),
  );
}

const ENDING = 8;

function addConfirm(group: Command, runner: Runner): void {
  define(
    group,
    runner,
    {
      usage: 'confirm [ending]',
      summary: 'Say that the recovery kit is saved: backups may leave this machine then',
      examples: ['angles key confirm', 'angles key confirm --yes'],
      notes: 'You are asked for the last 8 digits of the key, so that you look at what you saved. Scripts say --yes.',
      options: [yesOption()],
    },
    (context, [given]) =>
      context.withAgent(async (client) => {
        const ask = async (): Promise<string> => {
          if (context.global.yes) {
            const digits = keyOfKit((await client.call('key.kit', {})).text);
            if (digits === null) throw new AppError('usage.bad_argument', 'A passphrase needs no confirmation.');
            return digits.slice(-ENDING);
          }
          if (!context.global.input || context.global.json || !context.io.stdinIsTTY || !context.io.stderr.isTTY)
            throw new AppError('usage.bad_argument', 'This needs the last digits of the key.', {
              hint: 'Give them, or add --yes to say that the kit is saved.',
            });
          return (await context.io.askLine(`The last ${ENDING} digits of the key on your kit: `)) ?? '';
        };
        const key = await client.call('key.confirm', { ending: given ?? (await ask()) });
        context.answer({ key }, () => ['Confirmed. Backups go to the destinations that are configured.']);
      }),
  );
}

function addImport(group: Command, runner: Runner): void {
  define<{ keyFile?: string }>(
    group,
    runner,
    {
      usage: 'import',
      summary: 'Use the key of another machine, or of a recovery kit, on this one',
      examples: ['angles key import --key-file kit.txt', 'angles key import --key-file - < kit.txt'],
      notes:
        'For a new machine: its backups are made with this key from then on, and those of the other machine open.\nIt is kept in the data folder, readable for you only. A key that has backups here already is not replaced.',
      options: [keyFileOption()],
    },
    (context, _args, { keyFile }) =>
      context.withAgent(async (client) => {
        const given = await readKey(context, keyFile);
        if (given === undefined)
          throw new AppError('usage.bad_argument', 'No key was given.', {
            hint: 'Give it with --key-file PATH, or on standard input with --key-file -.',
          });
        const key = await client.call('key.import', { key: given });
        context.answer({ key }, () => ['This machine uses that key from now on.', ...describeKey(context, key)]);
      }),
  );
}

function addRotate(group: Command, runner: Runner): void {
  define<{ keyFile?: string }>(
    group,
    runner,
    {
      usage: 'rotate',
      summary: 'Replace the key; all backups of the repository open with the new one',
      examples: ['angles key rotate --yes', 'angles key rotate --key-file next.txt'],
      notes:
        'Nothing is encrypted anew: whoever has the old key and a copy from before can still read that copy.\nAfter a leak, begin a fresh repository: `angles backup --new-repository`. Archives keep the key they were made with.',
      options: [keyFileOption(), yesOption()],
    },
    (context, _args, { keyFile }) =>
      context.withAgent(async (client) => {
        const next = await readKey(context, keyFile);
        if (!(await confirm(context, 'Replace the key? The recovery kit has to be saved again.'))) {
          context.say('Nothing was changed.');
          return 1;
        }
        const key = await client.call('key.rotate', next === undefined ? {} : { key: next });
        context.answer({ key }, () => [
          'The key was replaced. Save the new kit: angles key kit',
          ...describeKey(context, key),
        ]);
        return 0;
      }),
  );
}
