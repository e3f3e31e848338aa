CREATE INDEX users_by_id ON users (id);
