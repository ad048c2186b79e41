CREATE TABLE subscriptions (
    secret_hash TEXT PRIMARY KEY REFERENCES devices (secret_hash) ON DELETE CASCADE,
    endpoint TEXT NOT NULL UNIQUE,
    p256dh TEXT NOT NULL,
    auth TEXT NOT NULL,
    shown_at REAL NOT NULL DEFAULT 0,
    trouble TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID
