import type { VNode } from 'preact';
import { Button } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { strings } from '../../strings.ts';
import { backupText } from '../../strings-backups.ts';
import { KitBody } from './kit-body.tsx';

type KitProps = { onClose: () => void; onConfirmed: () => void };

/** The recovery kit in a dialog of its own. */
export function KitDialog({ onClose, onConfirmed }: KitProps): VNode {
  return (
    <Dialog title={backupText.kit.title} kind="wide" onClose={onClose}>
      <KitBody
        other={<Button onClick={onClose}>{strings.frame.close}</Button>}
        onConfirmed={() => {
          onClose();
          onConfirmed();
        }}
      />
    </Dialog>
  );
}
