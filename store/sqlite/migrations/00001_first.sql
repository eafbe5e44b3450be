-- +goose Up

-- What is interned: equal labels and equal sets of tags are one small number.
CREATE TABLE labels (
    id     INTEGER PRIMARY KEY,
    owner  INTEGER NOT NULL,
    reach  INTEGER NOT NULL,
    group1 INTEGER NOT NULL,
    group2 INTEGER NOT NULL,
    group3 INTEGER NOT NULL,
    tlp    INTEGER NOT NULL,
    pap    INTEGER NOT NULL
) STRICT;

CREATE TABLE tagsets (
    id   INTEGER PRIMARY KEY,
    tags BLOB NOT NULL -- (tag id << 1 | local) as unsigned varints, ascending
) STRICT;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- The next id of each kind. Ids are never used again.
CREATE TABLE sequences (
    kind INTEGER PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT;

-- Small records of every kind, as JSON.
CREATE TABLE docs (
    kind INTEGER NOT NULL,
    id   INTEGER NOT NULL,
    uuid BLOB,
    name TEXT,
    doc  TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX docs_name ON docs (kind, name) WHERE name IS NOT NULL;
CREATE UNIQUE INDEX docs_uuid ON docs (kind, uuid) WHERE uuid IS NOT NULL;

CREATE TABLE events (
    id           INTEGER PRIMARY KEY,
    uuid         BLOB NOT NULL UNIQUE,
    org          INTEGER NOT NULL,
    orgc         INTEGER NOT NULL,
    user         INTEGER NOT NULL,
    info         TEXT NOT NULL,
    date         TEXT NOT NULL,
    threat       INTEGER NOT NULL,
    analysis     INTEGER NOT NULL,
    distribution INTEGER NOT NULL,
    sgroup       INTEGER NOT NULL,
    published    INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    timestamp    INTEGER NOT NULL,
    flags        INTEGER NOT NULL, -- 1 locked, 2 not to be correlated
    extends      BLOB,
    tags         INTEGER NOT NULL,
    label        INTEGER NOT NULL,
    attributes   INTEGER NOT NULL, -- how many, deleted ones left out
    restricted   INTEGER NOT NULL, -- how many of them not everyone may see who sees the event
    hidden       INTEGER NOT NULL DEFAULT 0, -- deleted for good, rows to be purged
    seq          INTEGER NOT NULL
) STRICT;
CREATE INDEX events_info ON events (orgc, info);
CREATE INDEX events_hidden ON events (seq) WHERE hidden = 1;

CREATE TABLE objects (
    id               INTEGER PRIMARY KEY,
    uuid             BLOB NOT NULL UNIQUE,
    event            INTEGER NOT NULL,
    name             TEXT NOT NULL,
    meta_category    TEXT NOT NULL,
    description      TEXT NOT NULL,
    template_uuid    BLOB,
    template_version INTEGER NOT NULL,
    comment          TEXT NOT NULL,
    distribution     INTEGER NOT NULL,
    sgroup           INTEGER NOT NULL,
    timestamp        INTEGER NOT NULL,
    first_seen       INTEGER NOT NULL, -- microseconds since 1970, 0 if not said
    last_seen        INTEGER NOT NULL,
    deleted          INTEGER NOT NULL,
    label            INTEGER NOT NULL,
    seq              INTEGER NOT NULL
) STRICT;
CREATE INDEX objects_event ON objects (event);

CREATE TABLE attributes (
    id           INTEGER PRIMARY KEY,
    uuid         BLOB NOT NULL,
    event        INTEGER NOT NULL,
    object       INTEGER NOT NULL,
    relation     TEXT NOT NULL,
    category     INTEGER NOT NULL,
    type         INTEGER NOT NULL,
    value        TEXT NOT NULL,
    comment      TEXT NOT NULL,
    flags        INTEGER NOT NULL, -- 1 to_ids, 2 deleted, 4 not to be correlated
    distribution INTEGER NOT NULL,
    sgroup       INTEGER NOT NULL,
    timestamp    INTEGER NOT NULL,
    first_seen   INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    tags         INTEGER NOT NULL,
    label        INTEGER NOT NULL,
    key1         INTEGER NOT NULL, -- its own key, hashed with this store's seed
    key2         INTEGER NOT NULL, -- 0 if it has one key
    seq          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX attributes_uuid ON attributes (uuid);
CREATE INDEX attributes_event ON attributes (event);
CREATE INDEX attributes_object ON attributes (object) WHERE object <> 0;
CREATE INDEX attributes_key1 ON attributes (key1);
CREATE INDEX attributes_key2 ON attributes (key2) WHERE key2 <> 0;

CREATE TABLE tombstones (
    uuid BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The log. A range line stands for the new attributes first..last of an event.
CREATE TABLE log (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL, -- microseconds since 1970
    actor  INTEGER NOT NULL, -- a user's id, or 0
    kind   INTEGER NOT NULL,
    id     INTEGER NOT NULL, -- the record; of a range line, the event
    event  INTEGER NOT NULL, -- attribute lines: whose event
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL, -- 0 but for range lines
    scope  INTEGER NOT NULL,
    label  INTEGER NOT NULL, -- attribute lines: the event's label
    before TEXT,
    after  TEXT
) STRICT;
CREATE INDEX log_attributes ON log (event, id, seq) WHERE kind = 2 AND last = 0;

-- +goose Down
SELECT raise(ABORT, 'a store cannot go back to before its first version');
