CREATE TABLE activities (
  change_seq     INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  kind           TEXT NOT NULL,
  summary        TEXT,
  root_id        INTEGER,
  path           TEXT,
  snapshot_id    TEXT,
  record_table   TEXT,
  record_id      TEXT,
  origin         TEXT NOT NULL,
  occurred_at_ms INTEGER NOT NULL,
  device_id      TEXT NOT NULL,
  owner_id       TEXT
) STRICT;

CREATE TABLE backup_samples (
  at_ms            INTEGER PRIMARY KEY,
  duration_ms      INTEGER NOT NULL,
  written_bytes    INTEGER NOT NULL,
  repository_bytes INTEGER NOT NULL,
  files            INTEGER NOT NULL
) STRICT;

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

CREATE TABLE contents (
  id           INTEGER PRIMARY KEY,
  sha256       BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
  size_bytes   INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  encoding     TEXT NOT NULL CHECK (encoding IN ('raw', 'zstd')),
  data         BLOB
, pack INTEGER, pack_offset INTEGER) STRICT;

CREATE TABLE counters (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE decision_vault (
  id            TEXT PRIMARY KEY,
  title         TEXT NOT NULL,
  decision      TEXT NOT NULL,
  type          TEXT NOT NULL,
  category      TEXT NOT NULL,
  status        TEXT NOT NULL CHECK (status IN ('proposed', 'accepted', 'rejected', 'deprecated', 'superseded', 'open')),
  priority      TEXT NOT NULL CHECK (priority IN ('low', 'medium', 'high', 'critical')),
  tags          TEXT NOT NULL,
  date          TEXT,
  source_path   TEXT,
  source_sha256 TEXT,
  supersedes    TEXT,
  origin        TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  deleted_at_ms INTEGER,
  device_id     TEXT NOT NULL,
  owner_id      TEXT,
  change_seq    INTEGER NOT NULL
) STRICT;

CREATE TABLE file_snapshots (
  change_seq     INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  device_id      TEXT NOT NULL,
  root_id        INTEGER NOT NULL REFERENCES roots (id),
  path           TEXT NOT NULL,
  previous_path  TEXT,
  change         TEXT NOT NULL CHECK (change IN ('created', 'modified', 'renamed', 'deleted')),
  sha256         BLOB,
  size_bytes     INTEGER NOT NULL,
  mtime_us       INTEGER,
  mode           INTEGER,
  captured_at_ms INTEGER NOT NULL,
  -- hybrid logical clock: wall milliseconds * 1024 + counter, never going back
  clock          INTEGER NOT NULL,
  still_open     INTEGER NOT NULL DEFAULT 0,
  redactions     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE files (
  id          INTEGER PRIMARY KEY,
  root_id     INTEGER NOT NULL REFERENCES roots (id),
  dir         TEXT NOT NULL,
  name        TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('present', 'deleted', 'skipped')),
  reason      TEXT,
  size_bytes  INTEGER NOT NULL,
  mtime_us    INTEGER NOT NULL,
  ctime_us    INTEGER NOT NULL,
  inode       INTEGER NOT NULL,
  mode        INTEGER NOT NULL,
  sha256      BLOB,
  snapshot_id TEXT,
  change_seq  INTEGER NOT NULL,
  UNIQUE (root_id, dir, name)
) STRICT;

CREATE TABLE health_samples (
  at_ms           INTEGER PRIMARY KEY,
  span_ms         INTEGER NOT NULL,
  cpu_ms          INTEGER NOT NULL,
  memory_bytes    INTEGER NOT NULL,
  queued          INTEGER NOT NULL,
  sent            INTEGER NOT NULL,
  latency_sum_ms  INTEGER NOT NULL,
  latency_max_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE links (
  remote             TEXT NOT NULL,
  table_name         TEXT NOT NULL,
  record_id          TEXT NOT NULL,
  remote_id          TEXT,
  base_json          TEXT,
  acknowledged_seq   INTEGER NOT NULL,
  acknowledged_at_ms INTEGER NOT NULL, base_version TEXT,
  PRIMARY KEY (remote, table_name, record_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE memories (
  id            TEXT PRIMARY KEY,
  title         TEXT NOT NULL,
  content       TEXT NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('fact', 'preference', 'instruction', 'context', 'note')),
  category      TEXT NOT NULL,
  status        TEXT NOT NULL CHECK (status IN ('active', 'superseded')),
  tags          TEXT NOT NULL,
  source_path   TEXT,
  source_sha256 TEXT,
  supersedes    TEXT,
  origin        TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  deleted_at_ms INTEGER,
  device_id     TEXT NOT NULL,
  owner_id      TEXT,
  change_seq    INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  remote         TEXT NOT NULL,
  table_name     TEXT NOT NULL,
  record_id      TEXT NOT NULL,
  change_seq     INTEGER NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('pending', 'leased', 'parked')),
  attempts       INTEGER NOT NULL DEFAULT 0,
  not_before_ms  INTEGER NOT NULL DEFAULT 0,
  lease_id       TEXT,
  lease_until_ms INTEGER,
  enqueued_at_ms INTEGER NOT NULL,
  error_code     TEXT,
  error_message  TEXT,
  PRIMARY KEY (remote, table_name, record_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE record_history (
  change_seq    INTEGER NOT NULL,
  table_name    TEXT NOT NULL,
  record_id     TEXT NOT NULL,
  field         TEXT NOT NULL,
  before_json   TEXT NOT NULL,
  after_json    TEXT NOT NULL,
  changed_at_ms INTEGER NOT NULL,
  clock         INTEGER NOT NULL,
  origin        TEXT NOT NULL,
  device_id     TEXT NOT NULL,
  PRIMARY KEY (table_name, record_id, change_seq, field)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE remotes (
  remote           TEXT PRIMARY KEY,
  configured_at_ms INTEGER NOT NULL,
  backlog_table    TEXT,
  backlog_after    INTEGER
, tables_json TEXT) STRICT, WITHOUT ROWID;

CREATE TABLE roots (
  id              INTEGER PRIMARY KEY,
  path            TEXT NOT NULL UNIQUE,
  -- device and inode of the folder: tells an unmounted or replaced folder from an emptied one
  identity        TEXT,
  hold_json       TEXT,
  last_scan_at_ms INTEGER,
  added_at_ms     INTEGER NOT NULL,
  removed_at_ms   INTEGER
) STRICT;

CREATE TABLE run_artifacts (
  id          TEXT PRIMARY KEY,
  kind        TEXT NOT NULL,
  started_ms  INTEGER NOT NULL,
  finished_ms INTEGER,
  outcome     TEXT,
  data_json   TEXT NOT NULL,
  change_seq  INTEGER NOT NULL
) STRICT;

CREATE TABLE sqlite_sequence(name,seq);

CREATE TABLE system_logs (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  time_ms     INTEGER NOT NULL,
  level       TEXT NOT NULL,
  component   TEXT NOT NULL,
  message     TEXT NOT NULL,
  run_id      TEXT,
  duration_ms REAL,
  data_json   TEXT NOT NULL
) STRICT;

CREATE INDEX activities_by_kind ON activities (kind, change_seq);

CREATE INDEX activities_by_time ON activities (occurred_at_ms);

CREATE INDEX conflicts_by_change ON conflicts (change_seq);

CREATE INDEX conflicts_by_record ON conflicts (table_name, record_id);

CREATE INDEX conflicts_open ON conflicts (change_seq) WHERE resolved_at_ms IS NULL;

CREATE INDEX decision_vault_by_category ON decision_vault (category);

CREATE INDEX decision_vault_by_change ON decision_vault (change_seq);

CREATE INDEX decision_vault_by_status ON decision_vault (status);

CREATE INDEX decision_vault_by_supersedes ON decision_vault (supersedes) WHERE supersedes IS NOT NULL;

CREATE INDEX decision_vault_by_time ON decision_vault (created_at_ms);

CREATE INDEX file_snapshots_by_path ON file_snapshots (root_id, path, change_seq);

CREATE INDEX file_snapshots_by_time ON file_snapshots (captured_at_ms);

CREATE INDEX files_by_change ON files (change_seq);

CREATE INDEX files_by_state ON files (root_id, state, size_bytes);

CREATE INDEX links_by_remote_id ON links (remote, table_name, remote_id) WHERE remote_id IS NOT NULL;

CREATE INDEX memories_by_category ON memories (category);

CREATE INDEX memories_by_change ON memories (change_seq);

CREATE INDEX memories_by_status ON memories (status);

CREATE INDEX memories_by_supersedes ON memories (supersedes) WHERE supersedes IS NOT NULL;

CREATE INDEX memories_by_time ON memories (created_at_ms);

CREATE INDEX outbox_by_due ON outbox (remote, state, change_seq);

CREATE INDEX run_artifacts_by_time ON run_artifacts (started_ms);

CREATE INDEX system_logs_by_component ON system_logs (component, seq);

CREATE INDEX system_logs_by_time ON system_logs (time_ms);
