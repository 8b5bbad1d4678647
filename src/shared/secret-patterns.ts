/**
 * What the tokens of well-known services look like. The log hides whatever has such a shape; the scan of what leaves the
 * machine looks closer, because there a false alarm costs a user's text.
 */

/** Tokens of one kind: one of the prefixes, then a body that reaches as far as its characters do. */
export type TokenShape = {
  readonly kind: string;
  readonly prefixes: readonly string[];
  /**
   * Source of a regular expression: one class of characters, at least so often. It is greedy and without an upper bound:
   * nothing of a token may be left behind it.
   */
  readonly body: string;
};

export const TOKEN_SHAPES: readonly TokenShape[] = [
  { kind: 'supabase-secret-key', prefixes: ['sb_secret_'], body: '[\\w-]{6,}' },
  { kind: 'supabase-access-token', prefixes: ['sbp_'], body: '\\w{16,}' },
  { kind: 'notion-token', prefixes: ['ntn_', 'secret_'], body: '[A-Za-z0-9]{16,}' },
  { kind: 'anthropic-key', prefixes: ['sk-ant-'], body: '[\\w-]{16,}' },
  { kind: 'openai-key', prefixes: ['sk-'], body: '[\\w-]{16,}' },
  {
    kind: 'stripe-key',
    prefixes: ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'whsec_'],
    body: '[A-Za-z0-9]{16,}',
  },
  { kind: 'github-token', prefixes: ['ghp_', 'gho_', 'ghu_', 'ghr_', 'ghs_'], body: '\\w{16,}' },
  { kind: 'github-token', prefixes: ['github_pat_'], body: '\\w{16,}' },
  {
    kind: 'gitlab-token',
    prefixes: ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glsoat-', 'glagent-', 'GR1348941'],
    body: '[\\w.-]{16,}',
  },
  {
    kind: 'aws-access-key',
    prefixes: ['AKIA', 'ASIA', 'ABIA', 'ACCA'],
    body: '[A-Z0-9]{16}(?![A-Za-z0-9])',
  },
  { kind: 'google-api-key', prefixes: ['AIza'], body: '[\\w-]{30,}' },
  { kind: 'google-oauth-token', prefixes: ['GOCSPX-', 'ya29.'], body: '[\\w-]{20,}' },
  {
    kind: 'slack-token',
    prefixes: ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xoxe.', 'xoxo-', 'xoxc-', 'xoxd-', 'xapp-'],
    body: '[\\w.%-]{8,}',
  },
  { kind: 'npm-token', prefixes: ['npm_'], body: '[A-Za-z0-9]{30,}' },
  { kind: 'pypi-token', prefixes: ['pypi-'], body: '[\\w-]{40,}' },
  { kind: 'hugging-face-token', prefixes: ['hf_'], body: '[A-Za-z0-9]{30,}' },
  { kind: 'groq-key', prefixes: ['gsk_'], body: '[A-Za-z0-9]{32,}' },
  { kind: 'sendgrid-key', prefixes: ['SG.'], body: '[\\w-]{16,}\\.[\\w-]{16,}' },
  { kind: 'docker-token', prefixes: ['dckr_pat_', 'dckr_oat_'], body: '[\\w-]{20,}' },
  { kind: 'digitalocean-token', prefixes: ['dop_v1_', 'doo_v1_', 'dor_v1_'], body: '[A-Za-z0-9]{32,}' },
  { kind: 'linear-key', prefixes: ['lin_api_', 'lin_oauth_'], body: '\\w{24,}' },
  { kind: 'vault-token', prefixes: ['hvs.', 'hvb.', 'hvr.'], body: '[\\w-]{24,}' },
  { kind: 'shopify-token', prefixes: ['shpat_', 'shpca_', 'shppa_', 'shpss_'], body: '[A-Za-z0-9]{24,}' },
];

/** The shape as the source of one regular expression, without what must stand before it. */
export function sourceOfToken({ prefixes, body }: TokenShape): string {
  return `(?:${prefixes.map((prefix) => prefix.replaceAll('.', '\\.')).join('|')})${body}`;
}
