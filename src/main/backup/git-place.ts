/** Where backups are pushed to, from what people configure. Pure. */
import { AppError } from '../../shared/errors.ts';
import { remoteUrl } from './git-http.ts';

export type GitPlaceConfig = {
  /** `owner/name` or an address. */
  readonly repo: string;
  readonly token: string | null;
  /** Of a server of one's own: `https://git.example.com/api/v3`; null for github.com. */
  readonly apiUrl: string | null;
};

export type GitPlace = {
  readonly url: string;
  readonly token: string | null;
  /** For people, without any secret: `owner/name` where it is one. */
  readonly shown: string;
};

/** Throws `config.invalid` when it is no address of a repository. */
export function gitPlace({ repo, token, apiUrl }: GitPlaceConfig): GitPlace {
  const short = /^[A-Za-z0-9][\w.-]*\/[\w.-]+$/.test(repo.trim()) ? repo.trim().replace(/\.git$/, '') : null;
  const url = short === null || apiUrl === null ? remoteUrl(repo) : remoteUrl(`${hostOf(apiUrl)}/${short}.git`);
  return { url, token, shown: short ?? url.replace(/^https:\/\/github\.com\//, '').replace(/\.git$/, '') };
}

/** GitHub's own API lives on another host than its repositories; servers of one's own have both on one. */
function hostOf(apiUrl: string): string {
  const url = URL.parse(apiUrl);
  if (url === null) throw new AppError('config.invalid', 'GITHUB_API_URL is no address.');
  return url.hostname === 'api.github.com' ? 'https://github.com' : url.origin;
}
