import type { ComponentChildren, VNode } from 'preact';
import type { BackupItem } from '../../../shared/contract-backup.ts';
import { displayPath } from '../../../shared/display.ts';
import { chosenKey, missingIn, type RestoreChoice } from '../../data/backup-view.ts';
import { fileName } from '../../data/paths.ts';
import { Button } from '../../parts/basics.tsx';
import { Chips, TextField } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import { backupText } from '../../strings-backups.ts';

const text = backupText.choose;

type ChooseProps = {
  readonly backup: BackupItem;
  readonly choice: RestoreChoice;
  readonly onChange: (choice: RestoreChoice) => void;
  readonly onPick: () => void;
  readonly onPlan: () => void;
};

/** What of a backup, and where to. */
export function RestoreChoose({ backup, choice, onChange, onPick, onPlan }: ChooseProps): VNode {
  const change = (changes: Partial<RestoreChoice>): void => onChange({ ...choice, ...changes });
  const missing = missingIn(choice);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (missing === null) onPlan();
      }}
    >
      <What backup={backup} choice={choice} change={change} onPick={onPick} />
      {choice.what === 'tables' ? null : <Where choice={choice} change={change} />}
      <div class="row">
        <Button kind="primary" icon="right" disabled={missing !== null} onClick={onPlan}>
          {text.makePlan}
        </Button>
        {missing === null ? null : (
          <p class="muted" role="status">
            {text.missing[missing]}
          </p>
        )}
      </div>
    </form>
  );
}

type PartProps = { choice: RestoreChoice; change: (changes: Partial<RestoreChoice>) => void };

function What({ backup, choice, change, onPick }: PartProps & { backup: BackupItem; onPick: () => void }): VNode {
  const tables = Object.entries(backup.tables).filter(([, rows]) => rows > 0);
  return (
    <fieldset class="card">
      <legend class="card-legend">{text.what}</legend>
      <Option
        name="what"
        checked={choice.what === 'all'}
        title={text.all}
        note={text.allText(backup.files)}
        onChoose={() => change({ what: 'all', tables: [] })}
      />
      <Option
        name="what"
        checked={choice.what === 'chosen'}
        title={text.chosen}
        note={choice.chosen.length === 0 ? text.chosenNone : text.chosenText(choice.chosen.length)}
        onChoose={() => change({ what: 'chosen', tables: [] })}
      />
      {choice.what === 'chosen' ? (
        <div class="option-body">
          <ul class="plain-list">
            {choice.chosen.map((one) => (
              <li key={chosenKey(one)} class="row tight">
                <Icon name={one.kind === 'folder' ? 'files' : 'file'} size={16} />
                <span class="path wrap">{displayPath(`${fileName(one.root)}/${one.path}`)}</span>
              </li>
            ))}
          </ul>
          <Button kind="quiet" onClick={onPick}>
            {text.pick}
          </Button>
        </div>
      ) : null}
      {tables.length === 0 ? null : (
        <Option
          name="what"
          checked={choice.what === 'tables'}
          title={text.tables}
          note={text.tablesText}
          onChoose={() => change({ what: 'tables' })}
        />
      )}
      {choice.what === 'tables' ? (
        <div class="option-body">
          <Chips
            label={text.tables}
            choices={tables.map(([table, rows]) => ({
              value: table,
              label: `${text.tableNames[table] ?? table} (${backupText.rows(rows)})`,
            }))}
            chosen={choice.tables}
            onChange={(chosen) => change({ tables: chosen })}
          />
        </div>
      ) : null}
    </fieldset>
  );
}

function Where({ choice, change }: PartProps): VNode {
  return (
    <fieldset class="card">
      <legend class="card-legend">{text.where}</legend>
      <Option
        name="where"
        checked={choice.where === 'beside'}
        title={text.beside}
        note={text.besideText}
        onChoose={() => change({ where: 'beside' })}
      />
      <Option
        name="where"
        checked={choice.where === 'folder'}
        title={text.folder}
        note={text.folderText}
        onChoose={() => change({ where: 'folder' })}
      />
      {choice.where === 'folder' ? (
        <div class="option-body">
          <TextField
            label={text.folderLabel}
            value={choice.folder}
            autoFocus
            onInput={(folder) => change({ folder })}
          />
        </div>
      ) : null}
      <Option
        name="where"
        checked={choice.where === 'in_place'}
        title={text.inPlace}
        note={text.inPlaceText}
        onChoose={() => change({ where: 'in_place' })}
      />
      {choice.where === 'in_place' ? (
        <div class="option-body">
          <label class="check-line">
            <input
              type="checkbox"
              checked={choice.allowRedacted}
              onChange={(event) => change({ allowRedacted: event.currentTarget.checked })}
            />
            <span>
              {text.redacted}
              <br />
              <span class="small muted">{text.redactedText}</span>
            </span>
          </label>
        </div>
      ) : null}
    </fieldset>
  );
}

type OptionProps = { name: string; checked: boolean; title: string; note: ComponentChildren; onChoose: () => void };
function Option({ name, checked, title, note, onChoose }: OptionProps): VNode {
  return (
    <label class="option">
      <input type="radio" name={`restore-${name}`} checked={checked} onChange={onChoose} />
      <span>
        <strong>{title}</strong>
        <br />
        <span class="small muted">{note}</span>
      </span>
    </label>
  );
}
