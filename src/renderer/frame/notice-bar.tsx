import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { useApp } from '../app-context.ts';
import { useStore } from '../data/store.ts';
import { Button, IconButton } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { strings } from '../strings.ts';

const text = strings.frame;
const NOTICE_MS = 9_000;
/** What was just done or failed, at the lower edge of every page. */
export function NoticeBar(): VNode {
  const app = useApp();
  const notice = useStore(app.notice);
  useEffect(() => {
    if (notice === null || notice.tone === 'error' || notice.action !== undefined) return;
    const timer = setTimeout(() => app.notice.set(null), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div class="notices" role="status">
      {notice === null ? null : (
        <div class={`notice ${notice.tone}`}>
          <Icon name={notice.tone === 'ok' ? 'check' : 'error'} />
          <span class="wrap">{notice.text}</span>
          {notice.action === undefined ? null : (
            <Button
              kind="quiet"
              onClick={() => {
                app.notice.set(null);
                notice.action?.run();
              }}
            >
              {notice.action.label}
            </Button>
          )}
          <IconButton icon="close" label={text.dismiss} onClick={() => app.notice.set(null)} />
        </div>
      )}
    </div>
  );
}
