-- no-transaction
DROP INDEX CONCURRENTLY sql_by_email;
