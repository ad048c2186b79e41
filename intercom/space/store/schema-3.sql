ALTER TABLE subscribers ADD COLUMN kind TEXT NOT NULL DEFAULT 'resident';
ALTER TABLE subscribers ADD COLUMN invited_by TEXT NOT NULL DEFAULT '';
UPDATE subscribers SET kind = 'door'
    WHERE id IN (SELECT subscriber_id FROM devices) AND id NOT IN (SELECT subscriber_id FROM members);
UPDATE subscribers SET kind = 'app' WHERE id IN (SELECT resource_id FROM addresses WHERE kind = 'app');
UPDATE subscribers SET display_name = shown(display_name, reference);
UPDATE addresses SET display_name = shown(display_name, name);
UPDATE devices SET name = shown(name, '');
DROP TABLE pairing_codes;
CREATE TABLE pairing_codes (
    code_hash TEXT PRIMARY KEY,
    expires_at REAL NOT NULL,
    maker TEXT REFERENCES subscribers (id) ON DELETE CASCADE
) WITHOUT ROWID
