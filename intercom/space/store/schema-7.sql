CREATE TABLE viewers (
    name TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    talks INTEGER NOT NULL,
    added_at TEXT NOT NULL,
    seen_on TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID
