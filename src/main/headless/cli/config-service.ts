/** Names of outside services by `angles config`: what gives access is read or asked for, and never an argument. */
import { AppError } from '../../../shared/errors.ts';
import { nearestOf } from '../../../shared/near.ts';
import { ENVIRONMENT, SERVICE_ENVIRONMENT, type ServiceName } from '../../../shared/settings.ts';
import type { Context } from './context.ts';
import { displayPath } from './format.ts';

type Service = (typeof SERVICE_ENVIRONMENT)[number];

/** Keeps a value where the cards of the dashboard keep it. A number is the exit code of somebody who gave up. */
export async function setService(context: Context, given: string, argument: string | undefined): Promise<number> {
  const service = findService(given);
  if (argument !== undefined && service.secret)
    throw new AppError('usage.bad_argument', `${service.name} is a secret: it is never an argument.`, {
      hint: `Every program of this machine can read arguments: replace this key where you got it. Then run \`angles config set ${service.name}\`, which asks for it or reads it from standard input.`,
    });
  const value = (argument ?? (await readValue(context, service)))?.trim();
  if (value === undefined) {
    context.say('Nothing was changed.');
    return 1;
  }
  if (value === '')
    throw new AppError('usage.bad_argument', `There is no value for ${service.name} in what was given.`);
  if (/\p{Cc}/u.test(value))
    throw new AppError('usage.bad_argument', `The value of ${service.name} has to be one line.`);
  const place = await keep(context, service.name, value);
  context.answer({ name: service.name, in: place }, () => [
    `${service.name} is kept in ${place === 'keychain' ? 'the keychain of this system' : '.env in the data folder, readable for you only'}.`,
    ...(/^(SUPABASE|NOTION)_/.test(service.name) ? ['Test the connection: angles sync --test'] : []),
  ]);
  return 0;
}

/** Removes a value from wherever `setService` keeps it. */
export async function resetService(context: Context, given: string): Promise<void> {
  const { name } = findService(given);
  await keep(context, name, null);
  context.answer({ name, in: null }, () => [`${name} is not set any more.`]);
}

/** Prints what a name is set to; of a secret only that it is set, and where. */
export async function getService(context: Context, given: string): Promise<void> {
  const { name } = findService(given, ENVIRONMENT);
  const { environment } = await context.withAgent((client) => client.call('settings.show', {}));
  const found = environment.find((one) => one.name === name);
  const value = found?.value ?? (found?.foundAs ? `set (${found.source})` : 'not set');
  context.answer({ name, value: found?.value ?? null, source: found?.source ?? null }, () => [displayPath(value)]);
}

async function keep(context: Context, name: ServiceName, value: string | null): Promise<'keychain' | '.env' | null> {
  const { kept } = await context.withAgent((client) => client.call('environment.set', { values: { [name]: value } }));
  return kept[0]?.in ?? null;
}

async function readValue({ io, global }: Context, { name, secret }: Service): Promise<string | undefined> {
  if (!io.stdinIsTTY) return io.readStdin();
  if (!global.input || global.json || !io.stderr.isTTY)
    throw new AppError('usage.bad_argument', `No value was given for ${name}.`, {
      hint: `Give it on standard input: angles config set ${name} < FILE`,
    });
  const question = `Value of ${name}: `;
  return (await (secret ? io.askHidden(`${question}(not shown) `) : io.askLine(question))) ?? undefined;
}

function findService(given: string): Service;
function findService(given: string, among: typeof ENVIRONMENT): (typeof ENVIRONMENT)[number];
function findService(
  given: string,
  among: readonly (typeof ENVIRONMENT)[number][] = SERVICE_ENVIRONMENT,
): (typeof ENVIRONMENT)[number] {
  const found = among.find(({ name, aliases }) => name === given || aliases.some((alias) => alias === given));
  if (found !== undefined) return found;
  if (given === 'BACKUP_ENCRYPTION_KEY')
    throw new AppError('usage.bad_argument', 'The key of the backups is not replaced by setting it.', {
      hint: 'Use `angles key rotate --key-file PATH`, or `angles key import` on a new machine.',
    });
  const nearest = nearestOf(
    given,
    among.map(({ name }) => name),
  );
  throw new AppError(
    'config.unknown_key',
    `There is no name ${given}.${nearest === null ? '' : ` Did you mean ${nearest}?`}`,
    { hint: 'Run `angles config check` for the names of outside services.' },
  );
}
