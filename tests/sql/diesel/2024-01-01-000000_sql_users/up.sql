-- Accounts, in SQL.
--
-- Made with Diesel.
CREATE TABLE sql_users (id INTEGER PRIMARY KEY);
INSERT INTO effects (name) VALUES ('users');
