import { shell } from 'electron';
import { AppError } from '../../shared/errors.ts';
import { isAllowedLink } from './address.ts';

/** Opens pages of known services in the system's browser, and nothing else. */
export type Links = {
  /** Throws `window.link_refused` for any other address. */
  readonly open: (url: string) => Promise<void>;
};

export function createLinks(onRefused: (what: string, url: string) => void): Links {
  return {
    open: async (url) => {
      if (!isAllowedLink(url)) {
        onRefused('link', url);
        throw new AppError('window.link_refused', `${url.slice(0, 200)} is not a page of a known service.`);
      }
      await shell.openExternal(url);
    },
  };
}
