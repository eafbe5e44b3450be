-- +goose Up

-- What the guards said of the value ("deny LIST ENTRY", '' for nothing), and why
-- and by whom its owner had it blocked all the same.
ALTER TABLE attributes ADD COLUMN guard text NOT NULL DEFAULT '';
ALTER TABLE attributes ADD COLUMN override text NOT NULL DEFAULT '';
ALTER TABLE attributes ADD COLUMN overridden_by bigint NOT NULL DEFAULT 0;

-- Few are guarded, and those are looked for.
CREATE INDEX attributes_guard ON attributes (id) WHERE guard <> '';

-- +goose Down
SELECT 1 / 0; -- a store cannot go back to before claims were guarded
