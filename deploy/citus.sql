-- Spreads the tables of an index over the nodes of a Citus cluster. Not run by our tests: docs/citus.md.
-- Run once on the coordinator, after the first `icsearch index --index postgresql://…`:
--     psql --file deploy/citus.sql postgresql://…
BEGIN;
CREATE EXTENSION IF NOT EXISTS citus;

-- Small tables that every node holds.
SELECT create_reference_table('icsearch.generations');
SELECT create_reference_table('icsearch.serving');
SELECT create_reference_table('icsearch.words');
SELECT create_reference_table('icsearch.spellings');

-- Everything of a document lies on one node: the column is in every key, and nothing is joined.
SELECT create_distributed_table('icsearch.documents', 'document_id');
SELECT create_distributed_table('icsearch.passages', 'document_id', colocate_with => 'icsearch.documents');
SELECT create_distributed_table('icsearch.vectors', 'document_id', colocate_with => 'icsearch.documents');
SELECT create_distributed_table('icsearch.postings', 'document_id', colocate_with => 'icsearch.documents');
COMMIT;

-- A generation is written in one transaction that copies rows and makes indexes: shard by shard.
ALTER DATABASE :"DBNAME" SET citus.multi_shard_modify_mode = 'sequential';
