-- What the charts of the health page show. Both tables are bounded: rows that are too old go with each addition.

-- One row for each minute in which the agent ran. Latencies are those of the records that remotes acknowledged in it.
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

-- One row for each backup of the repository.
CREATE TABLE backup_samples (
  at_ms            INTEGER PRIMARY KEY,
  duration_ms      INTEGER NOT NULL,
  written_bytes    INTEGER NOT NULL,
  repository_bytes INTEGER NOT NULL,
  files            INTEGER NOT NULL
) STRICT;
