-- What runs that never send twice need beside the ledger: one section for each part.
-- Times are microseconds since the Unix epoch, UTC. Documents are JSON text.

---------------------------------------------------------------- sending

-- What a run made of its deliveries, by the state they came to. Kept by triggers, so that no way of changing a
-- delivery can pass it by; taking the counts anew from a million rows would cost more than sending them.
CREATE TABLE run_tally (
    run    TEXT NOT NULL,
    state  TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (run, state)
) STRICT, WITHOUT ROWID;
INSERT INTO run_tally (run, state, number)
    SELECT run, state, count(*) FROM delivery
    WHERE state IN ('delivered', 'rejected', 'in_doubt', 'skipped') GROUP BY run, state;

CREATE TRIGGER delivery_tally_new AFTER INSERT ON delivery
WHEN new.state IN ('delivered', 'rejected', 'in_doubt', 'skipped')
BEGIN
    INSERT INTO run_tally (run, state, number) VALUES (new.run, new.state, 1)
        ON CONFLICT (run, state) DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER delivery_tally_less AFTER UPDATE OF state, run ON delivery
WHEN old.state IN ('delivered', 'rejected', 'in_doubt', 'skipped')
    AND (old.state <> new.state OR old.run <> new.run)
BEGIN
    UPDATE run_tally SET number = number - 1 WHERE run = old.run AND state = old.state;
END;
CREATE TRIGGER delivery_tally_more AFTER UPDATE OF state, run ON delivery
WHEN new.state IN ('delivered', 'rejected', 'in_doubt', 'skipped')
    AND (old.state <> new.state OR old.run <> new.run)
BEGIN
    INSERT INTO run_tally (run, state, number) VALUES (new.run, new.state, 1)
        ON CONFLICT (run, state) DO UPDATE SET number = number + 1;
END;

-- The state left this index with the tally: each send changed it twice, at three places of a large tree.
DROP INDEX delivery_run;
CREATE INDEX delivery_run ON delivery (run, id);

-- Calls counted against the limits that a service file states. `whose` is a connection, or the client key that
-- several connections share. A window begins with its first call.
CREATE TABLE limit_use (
    whose     TEXT NOT NULL,
    operation TEXT NOT NULL,
    seconds   INTEGER NOT NULL,
    began_at  INTEGER NOT NULL,
    used      INTEGER NOT NULL,
    PRIMARY KEY (whose, operation, seconds)
) STRICT, WITHOUT ROWID;

-- What the calls of a connection cost in the current day and month (UTC), in millionths of the currency. Counted
-- with the intent: what was refused in the end counts as well, because nobody knows whether the provider charges it.
CREATE TABLE spending (
    connection TEXT NOT NULL,
    period     TEXT NOT NULL CHECK (period IN ('day', 'month')),
    began_at   INTEGER NOT NULL,
    millionths INTEGER NOT NULL,
    PRIMARY KEY (connection, period)
) STRICT, WITHOUT ROWID;

-- Where the counting of a run's threshold begins: what was rejected before a person let it go on counts no more.
CREATE TABLE run_threshold (
    run      TEXT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    rejected INTEGER NOT NULL,
    ended    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whether a family of limit headers counts several operations together.
ALTER TABLE budget ADD COLUMN shared INTEGER NOT NULL DEFAULT 0 CHECK (shared IN (0, 1));

-- When the next one is due, without reading all that wait.
CREATE INDEX delivery_later ON delivery (lane, not_before) WHERE state = 'pending' AND not_before IS NOT NULL;

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

-- The journal: what a run has done since its last checkpoint, and its timers. The path names a place in the
-- task, so a run that comes by again finds what it did there.
CREATE TABLE run_journal (
    run    TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    path   TEXT NOT NULL,
    result TEXT NOT NULL CHECK (json_valid(result)),
    at     INTEGER NOT NULL,
    PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;

-- Where a run goes on.
CREATE TABLE run_checkpoint (
    run      TEXT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    position TEXT NOT NULL CHECK (json_valid(position)),
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Signals that a run has not taken yet.
CREATE TABLE run_signal (
    id    INTEGER PRIMARY KEY,
    run   TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    name  TEXT NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)),
    at    INTEGER NOT NULL
) STRICT;
CREATE INDEX run_signal_run ON run_signal (run, name, id);

-- The signal that a parked run waits for: only that one wakes it.
CREATE TABLE run_await (
    run  TEXT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

---------------------------------------------------------------- trigger inbox

-- What arrived for a task. A row is synced before its sender is told that it was received, and it is taken in
-- the commit that opens its run: a crash neither loses an event nor gives it to two runs.
CREATE TABLE trigger_event (
    id          INTEGER PRIMARY KEY,
    task        TEXT NOT NULL,
    source      TEXT NOT NULL CHECK (source IN ('webhook', 'file', 'database')),
    -- SHA-256 of what tells this event from every other one of the task: the same event again is known.
    identity    BLOB NOT NULL CHECK (length(identity) = 32),
    label       TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('new', 'taken', 'done')),
    run         TEXT,
    done_at     INTEGER,
    -- Dropped by retention before the row is.
    payload     TEXT CHECK (payload IS NULL OR json_valid(payload)),
    CHECK (state <> 'taken' OR run IS NOT NULL),
    CHECK ((state = 'done') = (done_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX trigger_event_identity ON trigger_event (task, identity);
CREATE INDEX trigger_event_new ON trigger_event (task, id) WHERE state = 'new';
CREATE INDEX trigger_event_taken ON trigger_event (source, id) WHERE state = 'taken';
CREATE INDEX trigger_event_run ON trigger_event (run, id) WHERE run IS NOT NULL;
CREATE INDEX trigger_event_done ON trigger_event (done_at) WHERE state = 'done';

-- What a person wants to know of a task's trigger.
CREATE TABLE trigger_state (
    task            TEXT PRIMARY KEY,
    events          INTEGER NOT NULL DEFAULT 0,
    last_event      TEXT,
    last_event_at   INTEGER,
    refusals        INTEGER NOT NULL DEFAULT 0,
    last_refusal    TEXT CHECK (last_refusal IS NULL OR json_valid(last_refusal)),
    last_refusal_at INTEGER,
    -- Why it cannot look for events at present.
    problem         TEXT CHECK (problem IS NULL OR json_valid(problem)),
    problem_at      INTEGER
) STRICT, WITHOUT ROWID;

---------------------------------------------------------------- steps

-- Variables of tasks that keep their value from run to run.
CREATE TABLE task_variable (
    task       TEXT NOT NULL,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL CHECK (json_valid(value)),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (task, name)
) STRICT, WITHOUT ROWID;

-- Variables as the steps of a run have set them. A run that goes on after a crash goes on with these; those
-- that its caller gave are in run_input.
CREATE TABLE run_variable (
    run        TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL CHECK (json_valid(value)),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

-- A filter step with memory. Its rows below name it by number, so that renaming it is one update.
CREATE TABLE filter (
    id   INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    step TEXT NOT NULL,
    UNIQUE (task, step)
) STRICT;

-- Which records a filter has let through, and how they looked: the first 16 bytes of SHA-256 of the key and
-- of the compared columns. A million records take about 60 MB.
CREATE TABLE filter_memory (
    filter      INTEGER NOT NULL REFERENCES filter (id),
    key_hash    BLOB NOT NULL CHECK (length(key_hash) = 16),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16),
    seen_at     INTEGER NOT NULL,
    PRIMARY KEY (filter, key_hash)
) STRICT, WITHOUT ROWID;

-- Records that wait for a person's release, and what became of them. A released one is handed to the later
-- steps until they have taken it (settled), like a delivery.
CREATE TABLE approval (
    id          INTEGER PRIMARY KEY,
    task        TEXT NOT NULL,
    step        TEXT NOT NULL,
    key_hash    BLOB NOT NULL CHECK (length(key_hash) = 32),
    key         TEXT NOT NULL,
    run         TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'released', 'refused', 'expired')),
    input       TEXT NOT NULL CHECK (json_valid(input)),
    shown       TEXT NOT NULL,
    -- The exact requests that would be sent, for the eyes of a person.
    requests    TEXT NOT NULL CHECK (json_valid(requests)),
    fingerprint TEXT NOT NULL,
    role        TEXT NOT NULL,
    asked_at    INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    decided_at  INTEGER,
    decided_by  TEXT,
    reason      TEXT,
    settled     INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1)),
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX approval_identity ON approval (key_hash, task, step);
CREATE INDEX approval_waiting ON approval (task, step, id) WHERE state = 'waiting';
CREATE INDEX approval_run ON approval (run, state);
CREATE INDEX approval_unsettled ON approval (task, step, id) WHERE state = 'released' AND settled = 0;

-- For which records a run calls another task. The called run is found by its occasion in run_input, which is made
-- of run, step and key: a crash never opens a second one.
CREATE TABLE task_call (
    id        INTEGER PRIMARY KEY,
    run       TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    step      TEXT NOT NULL,
    key_hash  BLOB NOT NULL CHECK (length(key_hash) = 32),
    key       TEXT NOT NULL,
    input     TEXT NOT NULL CHECK (json_valid(input)),
    variables TEXT NOT NULL CHECK (json_valid(variables)),
    settled   INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1)),
    UNIQUE (run, step, key_hash)
) STRICT;
CREATE INDEX task_call_open ON task_call (run, step, id) WHERE settled = 0;

---------------------------------------------------------------- restored homes

-- An older ledger came back. While a row is open (no ended_at), keys that are new to the ledger may have been sent
-- between backup_at and restored_at: they are in doubt first. doubted: the deliveries that were pending when it came
-- back are in doubt too.
CREATE TABLE restoration (
    id          INTEGER PRIMARY KEY,
    backup_at   INTEGER NOT NULL,
    restored_at INTEGER NOT NULL,
    doubted     INTEGER NOT NULL DEFAULT 0 CHECK (doubted IN (0, 1)),
    ended_at    INTEGER,
    ended_by    TEXT
) STRICT;
CREATE UNIQUE INDEX restoration_open ON restoration (ended_at IS NULL) WHERE ended_at IS NULL;
CREATE INDEX restoration_backup ON restoration (backup_at);

---------------------------------------------------------------- schedules

-- How far a task's trigger is decided: what lies before is not looked at again. `source` tells which trigger it was
-- decided for; another one begins anew. A disabled task has no row.
CREATE TABLE trigger_clock (
    task       TEXT PRIMARY KEY,
    source     TEXT NOT NULL,
    begun_at   INTEGER NOT NULL,
    decided_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What became of each time of a schedule, and of each end of another task's run. Its occasion is decided once, in the
-- commit that opens its run: a crash neither loses nor doubles it, whatever the clock does.
CREATE TABLE firing (
    task       TEXT NOT NULL,
    occasion   TEXT NOT NULL,
    due_at     INTEGER NOT NULL,
    verdict    TEXT NOT NULL CHECK (verdict IN ('fired', 'overlapped', 'missed')),
    -- The run that it opened, or that was in its way.
    run        TEXT,
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (task, occasion),
    CHECK ((verdict = 'missed') = (run IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX firing_due ON firing (task, due_at);
CREATE INDEX run_ended ON run (task, ended_at) WHERE ended_at IS NOT NULL;

---------------------------------------------------------------- notices

-- What the owner of a task is to be told, once for each run and kind. notice: 0 where nobody is told any more.
CREATE TABLE notice_event (
    id     INTEGER PRIMARY KEY,
    task   TEXT NOT NULL,
    run    TEXT NOT NULL,
    kind   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    facts  TEXT NOT NULL CHECK (json_valid(facts)),
    notice INTEGER,
    UNIQUE (run, kind, at)
) STRICT;
CREATE INDEX notice_event_open ON notice_event (id) WHERE notice IS NULL;
CREATE INDEX notice_event_task ON notice_event (task, kind, at);

-- Notices on their way, one for each channel: there until received or given up.
CREATE TABLE notice (
    id       INTEGER PRIMARY KEY,
    task     TEXT NOT NULL,
    channel  TEXT NOT NULL CHECK (channel IN ('webhook', 'mail')),
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'given_up')),
    attempts INTEGER NOT NULL,
    made_at  INTEGER NOT NULL,
    next_at  INTEGER,
    body     TEXT NOT NULL CHECK (json_valid(body)),
    failure  TEXT,
    CHECK ((state = 'waiting') = (next_at IS NOT NULL))
) STRICT;
CREATE INDEX notice_waiting ON notice (next_at) WHERE state = 'waiting';
CREATE INDEX notice_task ON notice (task, made_at);
-- Runs at rest are looked through in the order of their last change.
CREATE INDEX run_updated ON run (updated_at, id);
