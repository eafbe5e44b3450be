-- +goose Up

-- The one row that every write transaction locks first. It gives the log's
-- numbers under a lock, hands out ids, and says how far a node is behind.
CREATE TABLE turn (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    schema  integer NOT NULL,
    head    bigint NOT NULL,   -- the last line of the log
    labels  bigint NOT NULL,   -- how many are interned
    tagsets bigint NOT NULL,
    next    bigint[] NOT NULL, -- the next id of each kind, at the kind's number plus one
    purged  bigint NOT NULL,   -- rows of events deleted at or before this line may be gone
    token   uuid NOT NULL      -- of the last commit
) WITH (fillfactor = 50);
INSERT INTO turn (schema, head, labels, tagsets, next, purged, token)
VALUES (1, 0, 0, 0, '{}', 0, '00000000-0000-0000-0000-000000000000');

-- What one node does for all. A lease that has run out is free.
CREATE TABLE leases (
    name   text COLLATE "C" PRIMARY KEY,
    holder text NOT NULL,
    until  timestamptz NOT NULL
);

-- The nodes that have this store open, as they say of themselves.
CREATE TABLE nodes (
    id      text COLLATE "C" PRIMARY KEY,
    name    text NOT NULL,
    version text NOT NULL,
    place   bigint NOT NULL, -- how far its projections are on its disk
    off     bigint NOT NULL, -- microseconds that its clock is ahead of the database's
    seen    timestamptz NOT NULL
);

-- What is interned: equal labels and equal sets of tags are one small number.
CREATE TABLE labels (
    id     bigint PRIMARY KEY,
    owner  bigint NOT NULL,
    reach  bigint NOT NULL,
    group1 bigint NOT NULL,
    group2 bigint NOT NULL,
    group3 bigint NOT NULL,
    tlp    bigint NOT NULL,
    pap    bigint NOT NULL
);

CREATE TABLE tagsets (
    id   bigint PRIMARY KEY,
    tags bytea NOT NULL -- (tag id << 1 | local) as unsigned varints, ascending
);

CREATE TABLE settings (
    name  text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

-- Small records of every kind, as JSON.
CREATE TABLE docs (
    kind bigint NOT NULL,
    id   bigint NOT NULL,
    uuid uuid,
    name text COLLATE "C",
    doc  text COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX docs_name ON docs (kind, name) WHERE name IS NOT NULL;
CREATE UNIQUE INDEX docs_uuid ON docs (kind, uuid) WHERE uuid IS NOT NULL;

CREATE TABLE events (
    id           bigint PRIMARY KEY,
    uuid         uuid NOT NULL UNIQUE,
    org          bigint NOT NULL,
    orgc         bigint NOT NULL,
    "user"       bigint NOT NULL,
    info         text COLLATE "C" NOT NULL,
    date         text COLLATE "C" NOT NULL,
    threat       bigint NOT NULL,
    analysis     bigint NOT NULL,
    distribution bigint NOT NULL,
    sgroup       bigint NOT NULL,
    published    bigint NOT NULL,
    published_at bigint NOT NULL,
    timestamp    bigint NOT NULL,
    flags        bigint NOT NULL, -- 1 locked, 2 not to be correlated
    extends      uuid,
    tags         bigint NOT NULL,
    label        bigint NOT NULL,
    attributes   bigint NOT NULL, -- how many, deleted ones left out
    restricted   bigint NOT NULL, -- how many of them not everyone may see who sees the event
    hidden       bigint NOT NULL DEFAULT 0, -- deleted for good, rows to be purged
    seq          bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX events_orgc ON events (orgc);
CREATE INDEX events_hidden ON events (seq) WHERE hidden = 1;

CREATE TABLE objects (
    id               bigint PRIMARY KEY,
    uuid             uuid NOT NULL UNIQUE,
    event            bigint NOT NULL,
    name             text COLLATE "C" NOT NULL,
    meta_category    text COLLATE "C" NOT NULL,
    description      text COLLATE "C" NOT NULL,
    template_uuid    uuid,
    template_version bigint NOT NULL,
    comment          text COLLATE "C" NOT NULL,
    distribution     bigint NOT NULL,
    sgroup           bigint NOT NULL,
    timestamp        bigint NOT NULL,
    first_seen       bigint NOT NULL, -- microseconds since 1970, 0 if not said
    last_seen        bigint NOT NULL,
    deleted          bigint NOT NULL,
    label            bigint NOT NULL,
    seq              bigint NOT NULL
);
CREATE INDEX objects_event ON objects (event);

CREATE TABLE attributes (
    id           bigint PRIMARY KEY,
    uuid         uuid NOT NULL,
    event        bigint NOT NULL,
    object       bigint NOT NULL,
    relation     text COLLATE "C" NOT NULL,
    category     bigint NOT NULL,
    type         bigint NOT NULL,
    value        text COLLATE "C" NOT NULL,
    comment      text COLLATE "C" NOT NULL,
    flags        bigint NOT NULL, -- 1 to_ids, 2 deleted, 4 not to be correlated
    distribution bigint NOT NULL,
    sgroup       bigint NOT NULL,
    timestamp    bigint NOT NULL,
    first_seen   bigint NOT NULL,
    last_seen    bigint NOT NULL,
    tags         bigint NOT NULL,
    label        bigint NOT NULL,
    key1         bigint NOT NULL, -- its own key, hashed with this store's seed
    key2         bigint NOT NULL, -- 0 if it has one key
    seq          bigint NOT NULL
);
CREATE UNIQUE INDEX attributes_uuid ON attributes (uuid);
CREATE INDEX attributes_event ON attributes (event);
CREATE INDEX attributes_object ON attributes (object) WHERE object <> 0;
CREATE INDEX attributes_key1 ON attributes (key1);
CREATE INDEX attributes_key2 ON attributes (key2) WHERE key2 <> 0;

CREATE TABLE tombstones (
    uuid uuid PRIMARY KEY,
    kind bigint NOT NULL,
    at   bigint NOT NULL
);

-- The log. A range line stands for the new attributes first..last of an event.
CREATE TABLE log (
    seq    bigint PRIMARY KEY,
    at     bigint NOT NULL, -- microseconds since 1970
    actor  bigint NOT NULL, -- a user's id, or 0
    kind   bigint NOT NULL,
    id     bigint NOT NULL, -- the record; of a range line, the event
    event  bigint NOT NULL, -- attribute lines: whose event
    first  bigint NOT NULL,
    last   bigint NOT NULL, -- 0 but for range lines
    scope  bigint NOT NULL,
    label  bigint NOT NULL, -- attribute lines: the event's label
    before text COLLATE "C",
    after  text COLLATE "C",
    token  uuid -- the last line of a commit: by this a writer that lost its connection finds it
);
CREATE INDEX log_attributes ON log (event, id, seq) WHERE kind = 2 AND last = 0;

-- +goose Down
SELECT 1 / 0; -- a store cannot go back to before its first version
