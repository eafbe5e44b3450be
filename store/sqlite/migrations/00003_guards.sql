-- +goose Up

-- What the guards said of the value ("deny LIST ENTRY", '' for nothing), and why
-- and by whom its owner had it blocked all the same.
ALTER TABLE attributes ADD COLUMN guard TEXT NOT NULL DEFAULT '';
ALTER TABLE attributes ADD COLUMN override TEXT NOT NULL DEFAULT '';
ALTER TABLE attributes ADD COLUMN overridden_by INTEGER NOT NULL DEFAULT 0;

-- Few are guarded, and those are looked for.
CREATE INDEX attributes_guard ON attributes (id) WHERE guard <> '';

-- +goose Down
SELECT raise(ABORT, 'a store cannot go back to before claims were guarded');
