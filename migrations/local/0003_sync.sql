-- What sync has to remember besides the outbox: the version of the remote that a base was read at, how far each
-- remote was read, what waits for a person, and the values that lost.

ALTER TABLE links ADD COLUMN base_version TEXT;
CREATE INDEX links_by_remote_id ON links (remote, table_name, remote_id) WHERE remote_id IS NOT NULL;

-- The tables that a remote takes, as a JSON array; NULL takes all.
ALTER TABLE remotes ADD COLUMN tables_json TEXT;

-- Stays when a remote is switched off, so that another database behind the same key is noticed when it returns.
CREATE TABLE remote_state (
  remote             TEXT PRIMARY KEY,
  failures           INTEGER NOT NULL DEFAULT 0,
  identity           TEXT,
  pull_cursor        TEXT,
  last_success_at_ms INTEGER,
  last_pull_at_ms    INTEGER,
  -- not tried before, because the remote said so or after a failure
  not_before_ms      INTEGER,
  error_json         TEXT,
  hold_json          TEXT
) STRICT, WITHOUT ROWID;

-- Both sides changed a field, or the remote has a value that makes no sense: nothing that lost is thrown away.
CREATE TABLE conflicts (
  id                  TEXT PRIMARY KEY,
  change_seq          INTEGER NOT NULL,
  remote              TEXT NOT NULL,
  table_name          TEXT NOT NULL,
  record_id           TEXT NOT NULL,
  field               TEXT NOT NULL,
  kind                TEXT NOT NULL CHECK (kind IN ('edit', 'delete', 'invalid')),
  mine_json           TEXT NOT NULL,
  theirs_json         TEXT NOT NULL,
  base_json           TEXT NOT NULL,
  mine_edited_at_ms   INTEGER,
  theirs_edited_at_ms INTEGER,
  winner              TEXT NOT NULL CHECK (winner IN ('mine', 'theirs')),
  reason              TEXT,
  detected_at_ms      INTEGER NOT NULL,
  resolved_at_ms      INTEGER,
  resolution          TEXT CHECK (resolution IN ('mine', 'theirs', 'both', 'edited', 'gone')),
  -- the value in force before and after the resolution: what undoing needs
  before_json         TEXT,
  after_json          TEXT
) STRICT;
CREATE INDEX conflicts_by_change ON conflicts (change_seq);
CREATE INDEX conflicts_by_record ON conflicts (table_name, record_id);
CREATE INDEX conflicts_open ON conflicts (change_seq) WHERE resolved_at_ms IS NULL;
