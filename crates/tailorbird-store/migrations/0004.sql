-- What several people at one home need, and what makes the ledger quick: one section for each part.
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

---------------------------------------------------------------- authorizations

-- Which browser began it (a digest of its session): a callback is taken from no other one.
ALTER TABLE pending_authorization ADD COLUMN browser BLOB CHECK (browser IS NULL OR length(browser) = 32);

-- When the verifier came back; it waits in `secret`, sealed, for the exchange.
ALTER TABLE pending_authorization ADD COLUMN verifier_at INTEGER;

---------------------------------------------------------------- sending

-- How the last attempt of a delivery ended; its run, epoch, number and time of intent stand in the row already, its
-- failure in delivery_content. It moves to `attempt` only when something follows it: nearly all deliveries have one
-- attempt, and a row of its own for each cost a tenth of all the ledger did.
ALTER TABLE delivery ADD COLUMN ended_at INTEGER;
ALTER TABLE delivery ADD COLUMN event TEXT;
ALTER TABLE delivery ADD COLUMN status INTEGER;

-- The writer keeps run_tally itself, once for each commit: triggers did it for each row.
DROP TRIGGER delivery_tally_new;
DROP TRIGGER delivery_tally_less;
DROP TRIGGER delivery_tally_more;

-- A list of six in a CHECK is a table that SQLite makes, fills and drops for each row that changes: a tenth of what the
-- ledger did. The same condition word by word takes nothing. What is stored stays as it is, so only the text changes.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (state IN (''pending'', ''sending'', ''delivered'', ''rejected'', ''in_doubt'', ''skipped''))',
    'CHECK (state = ''pending'' OR state = ''sending'' OR state = ''delivered'' OR state = ''rejected'' '
        || 'OR state = ''in_doubt'' OR state = ''skipped'')')
    WHERE type = 'table' AND name = 'delivery';
PRAGMA writable_schema = RESET;
