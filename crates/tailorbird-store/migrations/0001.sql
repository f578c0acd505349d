-- The first schema of a home's ledger.db.
-- Times are microseconds since the Unix epoch, UTC. Documents are JSON or YAML text.

CREATE TABLE schema_version (
    version    INTEGER PRIMARY KEY,
    applied_at INTEGER NOT NULL
) STRICT;

-- One row per process that writes: the number of its last commit. After a COMMIT that failed, this row
-- tells whether it took place all the same.
CREATE TABLE commit_mark (
    writer TEXT PRIMARY KEY,
    batch  INTEGER NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- key_id: which sealing key the secrets below are sealed with.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

---------------------------------------------------------------- definitions

CREATE TABLE service (
    name       TEXT PRIMARY KEY,
    yaml       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE connection (
    name       TEXT PRIMARY KEY,
    service    TEXT NOT NULL,
    definition TEXT NOT NULL CHECK (json_valid(definition)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE business_database (
    name       TEXT PRIMARY KEY,
    definition TEXT NOT NULL CHECK (json_valid(definition)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A removed task keeps its row and its versions: old runs refer to them, and a task of the same name goes
-- on counting.
CREATE TABLE task (
    name       TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    enabled    INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    removed    INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE task_version (
    task       TEXT NOT NULL REFERENCES task (name),
    version    INTEGER NOT NULL,
    yaml       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (task, version)
) STRICT, WITHOUT ROWID;

---------------------------------------------------------------- secrets

-- Sealed by XChaCha20-Poly1305; the associated data is (owner_kind, owner, field), so a row that is moved
-- to another owner or field no longer opens.
CREATE TABLE secret (
    owner_kind TEXT NOT NULL,
    owner      TEXT NOT NULL,
    field      TEXT NOT NULL,
    nonce      BLOB NOT NULL CHECK (length(nonce) = 24),
    sealed     BLOB NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (owner_kind, owner, field)
) STRICT, WITHOUT ROWID;

-- An authorization that was begun: the temporary credentials are in `secret` (owner kind
-- pending_authorization). token_hash finds it by the token of a callback.
CREATE TABLE pending_authorization (
    connection TEXT PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    callback   TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

---------------------------------------------------------------- runs

CREATE TABLE run (
    id           TEXT PRIMARY KEY,
    task         TEXT NOT NULL,
    task_version INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'running', 'waiting', 'paused', 'needs_attention',
                                                'succeeded', 'failed', 'cancelled')),
    counts       TEXT NOT NULL CHECK (json_valid(counts)),
    failure      TEXT CHECK (failure IS NULL OR json_valid(failure)),
    -- What a person asked of it from another process: cancel, pause, resume.
    request      TEXT CHECK (request IN ('cancel', 'pause', 'resume')),
    started_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    resume_at    INTEGER
) STRICT;
CREATE INDEX run_task ON run (task, started_at);
CREATE INDEX run_open ON run (started_at) WHERE state NOT IN ('succeeded', 'failed', 'cancelled');

-- How far each step of a run has come; path names the step in the task and never counts.
CREATE TABLE run_step (
    run        TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    path       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    chunk      INTEGER NOT NULL,
    cursor     TEXT CHECK (cursor IS NULL OR json_valid(cursor)),
    counts     TEXT NOT NULL CHECK (json_valid(counts)),
    attempt    INTEGER NOT NULL,
    not_before INTEGER,
    failure    TEXT CHECK (failure IS NULL OR json_valid(failure)),
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;

-- How far a query or a call has read over all runs of its task (never-twice rule 14).
CREATE TABLE step_cursor (
    task       TEXT NOT NULL,
    step       TEXT NOT NULL,
    value      TEXT NOT NULL CHECK (json_valid(value)),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (task, step)
) STRICT, WITHOUT ROWID;

---------------------------------------------------------------- ledger

-- What many deliveries share. A renamed task or step is one update here, however many rows were sent.
CREATE TABLE lane (
    id          INTEGER PRIMARY KEY,
    task        TEXT NOT NULL,
    step        TEXT NOT NULL,
    destination TEXT NOT NULL,
    UNIQUE (task, step, destination)
) STRICT;
CREATE INDEX lane_destination ON lane (destination);

-- The key template and the destination that a step last ran with: a change is noticed before it sends
-- everything again (rule 1).
CREATE TABLE step_identity (
    task         TEXT NOT NULL,
    step         TEXT NOT NULL,
    key_template TEXT NOT NULL,
    destination  TEXT NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (task, step)
) STRICT, WITHOUT ROWID;

-- The narrow part of a delivery. It is never deleted: an old key stays sent (rule 7).
CREATE TABLE delivery (
    id           INTEGER PRIMARY KEY,
    lane         INTEGER NOT NULL REFERENCES lane (id),
    key_hash     BLOB NOT NULL CHECK (length(key_hash) = 32),
    state        TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'rejected', 'in_doubt', 'skipped')),
    run          TEXT NOT NULL,
    connection   TEXT NOT NULL,
    operation    TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    epoch        TEXT,
    fingerprint  TEXT NOT NULL,
    -- The provider's id of what was made; a look-up never settles on an id that stands here (rule 10).
    result_id    TEXT,
    not_before   INTEGER,
    attempted_at INTEGER,
    delivered_at INTEGER,
    settled      INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1)),
    enrolled_at  INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    CHECK (state <> 'sending' OR (epoch IS NOT NULL AND attempts > 0 AND attempted_at IS NOT NULL)),
    CHECK (state <> 'delivered' OR delivered_at IS NOT NULL)
) STRICT;
-- The hash comes first, so that a key can also be found without naming its task.
CREATE UNIQUE INDEX delivery_identity ON delivery (key_hash, lane);
CREATE INDEX delivery_pending ON delivery (lane, id) WHERE state = 'pending';
CREATE INDEX delivery_sending ON delivery (epoch) WHERE state = 'sending';
CREATE INDEX delivery_in_doubt ON delivery (lane, id) WHERE state = 'in_doubt';
CREATE INDEX delivery_rejected ON delivery (lane, id) WHERE state = 'rejected';
CREATE INDEX delivery_unsettled ON delivery (lane, id) WHERE state = 'delivered' AND settled = 0;
CREATE INDEX delivery_result ON delivery (result_id) WHERE result_id IS NOT NULL;
-- Covers the counts of a run, which are taken after each chunk.
CREATE INDEX delivery_run ON delivery (run, state);

-- The wide part, which retention may drop.
CREATE TABLE delivery_content (
    delivery INTEGER PRIMARY KEY REFERENCES delivery (id),
    key      TEXT NOT NULL,
    input    TEXT NOT NULL,
    request  TEXT NOT NULL,
    result   TEXT,
    failure  TEXT
) STRICT;

-- Attempts that came to an end. The one that is on its way is in `delivery` itself.
CREATE TABLE attempt (
    delivery    INTEGER NOT NULL REFERENCES delivery (id),
    number      INTEGER NOT NULL,
    run         TEXT NOT NULL,
    epoch       TEXT NOT NULL,
    intended_at INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    event       TEXT NOT NULL,
    status      INTEGER,
    failure     TEXT,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

-- What look-ups at the provider found (rule 10).
CREATE TABLE look_up (
    id        INTEGER PRIMARY KEY,
    delivery  INTEGER NOT NULL REFERENCES delivery (id),
    attempt   INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    hits      INTEGER NOT NULL,
    decision  TEXT NOT NULL,
    result_id TEXT,
    detail    TEXT NOT NULL
) STRICT;
CREATE INDEX look_up_delivery ON look_up (delivery, id);

-- What people decided.
CREATE TABLE resolution (
    id         INTEGER PRIMARY KEY,
    delivery   INTEGER NOT NULL REFERENCES delivery (id),
    at         INTEGER NOT NULL,
    who        TEXT NOT NULL,
    decision   TEXT NOT NULL CHECK (decision IN ('sent', 'again', 'skip')),
    from_state TEXT NOT NULL
) STRICT;
CREATE INDEX resolution_delivery ON resolution (delivery, id);

-- The keyed chain (rule 8): one link per commit that changed deliveries. `changes` packs, for each changed
-- delivery, its id and a digest of its narrow row; `mac` covers it and the previous link.
CREATE TABLE chain_link (
    number  INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    changes BLOB NOT NULL,
    mac     BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

---------------------------------------------------------------- budgets

CREATE TABLE budget (
    connection TEXT NOT NULL,
    operation  TEXT NOT NULL,
    family     TEXT NOT NULL,
    allowed    INTEGER,
    remaining  INTEGER,
    reset_at   INTEGER,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (connection, operation, family)
) STRICT, WITHOUT ROWID;
