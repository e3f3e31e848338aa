CREATE INDEX users_by_id_again ON users (id);
