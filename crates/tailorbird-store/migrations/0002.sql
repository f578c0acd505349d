-- What runs that never send twice need beside the ledger: one section for each part.
-- Times are microseconds since the Unix epoch, UTC. Documents are JSON text.

---------------------------------------------------------------- runs

-- What a run was opened for. An occasion (a time of a schedule, a message, a file) opens one run of a task and
-- no second one, however often it is told.
CREATE TABLE run_input (
    run       TEXT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    task      TEXT NOT NULL,
    cause     TEXT NOT NULL,
    occasion  TEXT,
    parent    TEXT,
    variables TEXT NOT NULL CHECK (json_valid(variables)),
    data      TEXT NOT NULL CHECK (json_valid(data)),
    UNIQUE (task, occasion)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_parent ON run_input (parent) WHERE parent IS NOT NULL;
