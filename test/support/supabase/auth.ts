/**
 * Stands in for Supabase Auth (GoTrue), as far as signing in with a password goes.
 *
 * Documented behaviour that it keeps:
 * - `POST /auth/v1/token?grant_type=password` answers {access_token, token_type, expires_in, expires_at, refresh_token,
 *   user}; a token lives 3,600 s by default. https://supabase.com/docs/guides/auth/sessions
 * - Wrong e-mail or password: 400 `invalid_credentials`. https://supabase.com/docs/guides/auth/debugging/error-codes
 * - The token carries sub, role=authenticated, aud, email, exp. https://supabase.com/docs/guides/auth/jwt-fields
 * Not kept: refresh tokens (given, never taken), sign-up, e-mail confirmation, captcha, rate limits, MFA.
 */
import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { type Answer, json } from './gateway.ts';
import { type ProjectKeys, signJwt } from './keys.ts';

export type AuthSettings = { tokenLifetimeS: number };

export async function answerAuth(
  sql: postgres.Sql,
  keys: ProjectKeys,
  settings: AuthSettings,
  request: { method: string; url: URL; body: Buffer },
): Promise<Answer> {
  if (request.method !== 'POST' || request.url.pathname !== '/auth/v1/token')
    return refused(404, 'not_found', 'Not found');
  if (request.url.searchParams.get('grant_type') !== 'password')
    return refused(400, 'validation_failed', 'unsupported_grant_type');
  const { email, password } = JSON.parse(request.body.toString()) as Record<string, unknown>;
  const [user] = await sql<{ id: string; encrypted_password: string }[]>`
    SELECT id, encrypted_password FROM auth.users WHERE email = ${String(email).toLowerCase()}`;
  if (user === undefined || user.encrypted_password !== String(password))
    return refused(400, 'invalid_credentials', 'Invalid login credentials');
  const iat = Math.floor(Date.now() / 1_000);
  const exp = iat + settings.tokenLifetimeS;
  return json(200, {
    access_token: signJwt(
      { sub: user.id, role: 'authenticated', aud: 'authenticated', email, iat, exp },
      keys.jwtSecret,
    ),
    token_type: 'bearer',
    expires_in: settings.tokenLifetimeS,
    expires_at: exp,
    refresh_token: randomBytes(9).toString('base64url'),
    user: { id: user.id, aud: 'authenticated', role: 'authenticated', email },
  });
}

const refused = (status: number, code: string, msg: string): Answer =>
  json(status, { code: status, error_code: code, msg });
