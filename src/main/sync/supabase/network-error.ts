/** Why a service was not reached, told apart: the name, the connection, its encryption, or time. Pure. */
import { AppError } from '../../../shared/errors.ts';

export type NetworkStage = 'dns' | 'tcp' | 'tls' | 'time';

const DNS = /^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL)/;
const TLS = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH|INVALID_CA)/;
const TIME = /^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|TimeoutError)$/;

export function stageOf(error: unknown): NetworkStage {
  const codes = codesOf(error);
  if (codes.some((code) => DNS.test(code))) return 'dns';
  if (codes.some((code) => TLS.test(code))) return 'tls';
  return codes.some((code) => TIME.test(code)) ? 'time' : 'tcp';
}

/** The failure of a request that got no answer. Whether it was carried out is unknown. */
export function unreachable(error: unknown, host: string): AppError {
  const stage = stageOf(error);
  const code = codesOf(error).find((each) => /^[A-Z]/.test(each) && !each.endsWith('Error')) ?? '';
  return new AppError('remote.unreachable', `${MESSAGES[stage](host)}${code === '' ? '' : ` (${code})`}`, {
    hint: HINTS[stage],
    retryable: true,
    cause: error,
  });
}

const MESSAGES: Readonly<Record<NetworkStage, (host: string) => string>> = {
  dns: (host) => `The name ${host} is not found.`,
  tcp: (host) => `The connection to ${host} failed or was cut.`,
  tls: (host) => `The encrypted connection to ${host} was refused.`,
  time: (host) => `${host} did not answer in time.`,
};

const HINTS: Readonly<Record<NetworkStage, string>> = {
  dns: 'Check the network and the spelling of the address; a project that was deleted has no name any more.',
  tcp: 'Check the network, a firewall or a proxy; it is tried again by itself.',
  tls: 'Check the clock of this machine, and whether a proxy of the network opens encrypted connections.',
  time: 'Nothing needs to be done; it is tried again by itself.',
};

function codesOf(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > 4) return [];
  const { code, name, cause, errors } = error as { code?: unknown; name?: unknown; cause?: unknown; errors?: unknown };
  return [
    ...(typeof code === 'string' ? [code] : []),
    ...(typeof name === 'string' ? [name] : []),
    ...codesOf(cause, depth + 1),
    ...(Array.isArray(errors) ? errors.flatMap((each) => codesOf(each, depth + 1)) : []),
  ];
}
