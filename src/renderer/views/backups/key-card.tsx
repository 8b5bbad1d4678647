import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { BackupKey } from '../../../shared/contract-backup.ts';
import { useApp } from '../../app-context.ts';
import { Badge, Button, CopyButton, useTell, When } from '../../parts/basics.tsx';
import { ConfirmDialog } from '../../parts/dialog.tsx';
import { backupText } from '../../strings-backups.ts';

const text = backupText.kit;
type Props = { backupKey: BackupKey; onKit: () => void; onChanged: () => void };

/** The key by its fingerprint: where it comes from, and whether it would survive this machine. */
export function KeyCard({ backupKey: key, onKit, onChanged }: Props): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [asking, setAsking] = useState(false);
  const rotate = (): void => {
    client.call('key.rotate', {}).then(() => {
      tell.ok(text.rotated);
      onChanged();
      onKit();
    }, tell.fail);
  };
  return (
    <section class="card">
      <h2>{text.keyTitle}</h2>
      <dl class="facts">
        {key.fingerprint === null ? null : (
          <div>
            <dt>{text.fingerprint}</dt>
            <dd class="row tight">
              <code>{key.fingerprint}</code>
              <CopyButton text={key.fingerprint} />
            </dd>
          </div>
        )}
        <div>
          <dt>{text.source}</dt>
          <dd>{text.sources[key.source]}</dd>
        </div>
        {key.source === 'none' ? null : (
          <div>
            <dt>{text.kitState}</dt>
            <dd>
              {key.kitConfirmedAtMs === null ? (
                <Badge tone="warn" icon="alert">
                  {text.kitMissing}
                </Badge>
              ) : (
                <>
                  <Badge tone="ok" icon="check">
                    {text.kitSaved}
                  </Badge>{' '}
                  <When timeMs={key.kitConfirmedAtMs} ago />
                </>
              )}
            </dd>
          </div>
        )}
      </dl>
      {key.source === 'none' ? null : (
        <div class="row">
          <Button icon="key" onClick={onKit}>
            {text.open}
          </Button>
          {key.source === 'generated' ? (
            <Button kind="quiet" onClick={() => setAsking(true)}>
              {text.rotate}
            </Button>
          ) : null}
        </div>
      )}
      {asking ? (
        <ConfirmDialog
          title={text.rotateAsk}
          text={text.rotateText}
          confirm={text.rotate}
          danger
          onConfirm={rotate}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </section>
  );
}
