-- no-transaction
-- Does not lock the table.
CREATE INDEX CONCURRENTLY sql_by_email ON sql_indexed (email);
