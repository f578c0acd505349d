-- What people at a browser need: one section for each part.
-- Times are microseconds since the Unix epoch, UTC.

---------------------------------------------------------------- visits

-- Links that open a session once. Of tickets and sessions only digests are stored, so that whoever reads this file
-- or a backup of it can open nothing with it.
CREATE TABLE ticket (
    digest     BLOB PRIMARY KEY CHECK (length(digest) = 32),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    digest    BLOB PRIMARY KEY CHECK (length(digest) = 32),
    opened_at INTEGER NOT NULL,
    seen_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

---------------------------------------------------------------- what pages count

-- What ended runs did, by the hour of their end: the overview sums a day of them without looking at deliveries.
CREATE INDEX run_ended_at ON run (ended_at) WHERE ended_at IS NOT NULL;
