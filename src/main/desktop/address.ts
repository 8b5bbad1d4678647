/** Which addresses the window may show, and which a browser may be asked to open. Pure. */

export const APP_SCHEME = 'app';
export const APP_ORIGIN = 'app://angles';
export const APP_PAGE = `${APP_ORIGIN}/index.html`;

/** Services whose pages the program links to; subdomains count only where they are listed. */
const LINK_HOSTS: ReadonlySet<string> = new Set([
  'github.com',
  'docs.github.com',
  'supabase.com',
  'notion.so',
  'www.notion.so',
  'notion.com',
  'www.notion.com',
  'developers.notion.com',
  'platform.openai.com',
  'api.slack.com',
]);

/** Whether an address belongs to the page of this program. */
export function isAppUrl(url: string): boolean {
  try {
    const { protocol, host, username, password } = new URL(url);
    return protocol === `${APP_SCHEME}:` && host === 'angles' && username === '' && password === '';
  } catch {
    return false;
  }
}

/** Whether the system's browser may be asked to open this: https, a known service, no port and no credentials. */
export function isAllowedLink(url: string): boolean {
  try {
    const { protocol, hostname, port, username, password } = new URL(url);
    return protocol === 'https:' && port === '' && username === '' && password === '' && LINK_HOSTS.has(hostname);
  } catch {
    return false;
  }
}

/** The place in the page that `angles://search?q=x` means: `#/search?q=x`. Anything else is the first page. */
export function hashOfLink(link: string): string {
  const match = /^angles:\/\/([a-z]{1,30})\/?(\?[^#\s]{0,2000})?$/.exec(link);
  return match?.[1] === undefined ? '#/' : `#/${match[1] === 'overview' ? '' : match[1]}${match[2] ?? ''}`;
}

/** The deep link among the arguments of a start; null when there is none. */
export function linkIn(argv: readonly string[]): string | null {
  return argv.find((argument) => argument.startsWith('angles://')) ?? null;
}
