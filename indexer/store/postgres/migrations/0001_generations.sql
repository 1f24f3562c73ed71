-- Generations of an index. Every row carries the index_id of its generation; what is searched is
-- partitioned by it, so that a generation has indexes of its own and is dropped in an instant, and
-- has document_id in every key, so that Citus can shard it (docs/citus.md).

CREATE TABLE icsearch.generations (
    index_id text PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    manifest text NOT NULL,
    facts text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);

-- One row: the generation that is served.
CREATE TABLE icsearch.serving (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    index_id text NOT NULL REFERENCES icsearch.generations
);

CREATE TABLE icsearch.documents (
    index_id text NOT NULL,
    document_id text NOT NULL,
    first_row integer NOT NULL,
    end_row integer NOT NULL,
    unsearched integer[] NOT NULL,  -- rows that are contents lines, never candidates
    document text NOT NULL,
    text text NOT NULL,
    sections text NOT NULL,
    pages text NOT NULL,
    warnings text NOT NULL,
    reader text NOT NULL,
    PRIMARY KEY (index_id, document_id)
) PARTITION BY LIST (index_id);

CREATE TABLE icsearch.passages (
    index_id text NOT NULL,
    document_id text NOT NULL,
    row integer NOT NULL,
    passage text NOT NULL,
    embedding_key text NOT NULL,
    statements bytea NOT NULL,  -- vectors of its statements, little-endian half floats
    stems text,                 -- for the BM25 index of pg_textsearch; null where there is none
    PRIMARY KEY (index_id, document_id, row)
) PARTITION BY LIST (index_id);
CREATE INDEX ON icsearch.passages (row);

CREATE TABLE icsearch.vectors (
    index_id text NOT NULL,
    document_id text NOT NULL,
    row integer NOT NULL,
    embedding vector NOT NULL,
    PRIMARY KEY (index_id, document_id, row)
) PARTITION BY LIST (index_id);
CREATE INDEX ON icsearch.vectors (row);

-- In which passages of a document a word stands: records of indexer/store/postgres/bm25.py.
CREATE TABLE icsearch.postings (
    index_id text NOT NULL,
    document_id text NOT NULL,
    word text COLLATE "C" NOT NULL,
    records bytea NOT NULL,
    PRIMARY KEY (index_id, document_id, word)
) PARTITION BY LIST (index_id);
CREATE INDEX ON icsearch.postings (word, document_id);

-- In how many passages a stem stands, in their own text and in their headings.
CREATE TABLE icsearch.words (
    index_id text NOT NULL REFERENCES icsearch.generations ON DELETE CASCADE,
    word text COLLATE "C" NOT NULL,
    text integer NOT NULL,
    heading integer NOT NULL,
    PRIMARY KEY (index_id, word)
);

-- Words as written, to tell a misspelling from a word.
CREATE TABLE icsearch.spellings (
    index_id text NOT NULL REFERENCES icsearch.generations ON DELETE CASCADE,
    word text COLLATE "C" NOT NULL,
    passages integer NOT NULL,
    PRIMARY KEY (index_id, word)
);

-- The files of exported models in parts, so that a process needs nothing but the database.
CREATE TABLE icsearch.models (
    model text NOT NULL,
    file text NOT NULL,
    part integer NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (model, file, part)
);
