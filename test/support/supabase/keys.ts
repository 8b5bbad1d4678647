/** Keys and tokens of the local project, made at run time: nothing that looks like a secret lies in the repository. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export type Claims = Readonly<Record<string, unknown>>;

export type ProjectKeys = {
  readonly jwtSecret: string;
  /** New form: opaque, turned into a role by the gateway. */
  readonly publishable: string;
  readonly secret: string;
  /** Old form: JWTs with a `ref` and a role. */
  readonly anonJwt: string;
  readonly serviceJwt: string;
};

const TEN_YEARS_S = 315_360_000;

export function makeKeys(seed: string): ProjectKeys {
  const part = (name: string): string => createHmac('sha256', seed).update(name).digest('hex').slice(0, 31);
  const jwtSecret = `${part('jwt')}${part('jwt2')}`;
  const iat = Math.floor(Date.now() / 1_000);
  const legacy = (role: string): string =>
    signJwt({ iss: 'supabase', ref: 'local', role, iat, exp: iat + TEN_YEARS_S }, jwtSecret);
  return {
    jwtSecret,
    publishable: ['sb', 'publishable', part('publishable')].join('_'),
    secret: ['sb', 'secret', part('secret')].join('_'),
    anonJwt: legacy('anon'),
    serviceJwt: legacy('service_role'),
  };
}

export function signJwt(claims: Claims, secret: string): string {
  const text = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${text({ alg: 'HS256', typ: 'JWT' })}.${text(claims)}`;
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}

/** The claims of a token that is signed with the secret and not expired; null for every other. */
export function verifyJwt(token: string, secret: string): Claims | null {
  const claims = signedClaims(token, secret);
  return claims === null || isExpired(claims) ? null : claims;
}

/** The claims of a token that was good and is not any more; null for every other. */
export function expiredJwt(token: string, secret: string): Claims | null {
  const claims = signedClaims(token, secret);
  return claims !== null && isExpired(claims) ? claims : null;
}

const isExpired = ({ exp }: Claims): boolean => typeof exp === 'number' && exp * 1_000 < Date.now();

function signedClaims(token: string, secret: string): Claims | null {
  const [head, claims, signature] = token.split('.');
  if (head === undefined || claims === undefined || signature === undefined) return null;
  const expected = createHmac('sha256', secret).update(`${head}.${claims}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  return JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Claims;
}
