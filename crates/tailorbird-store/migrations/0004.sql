-- What several people at one home need: one section for each part.
-- Times are microseconds since the Unix epoch, UTC.

---------------------------------------------------------------- audit

-- Who changed what: one row in the commit of each change. Rows are added and never altered; the triggers make a slip
-- of our own an error. They are no wall against somebody who can write this file.
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    -- How somebody came in, and under which name.
    came_by  TEXT NOT NULL CHECK (came_by IN ('account', 'link', 'token', 'command_line', 'nobody')),
    who      TEXT NOT NULL,
    -- What was done, for example `task.enabled`, and to what.
    what     TEXT NOT NULL,
    object   TEXT NOT NULL,
    detail   TEXT NOT NULL,
    -- The address that it came from; empty for the command line.
    address  TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_is_not_altered BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

---------------------------------------------------------------- budgets

-- Limits belong to credentials: `whose` is a digest of one (see `credential.rs`). What was kept by the names of
-- connections is not known under it; the providers tell it anew.
DELETE FROM budget;
DELETE FROM limit_use WHERE whose NOT LIKE '%/client:%';
ALTER TABLE budget RENAME COLUMN connection TO whose;
