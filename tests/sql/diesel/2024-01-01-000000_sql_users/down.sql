DELETE FROM effects WHERE name = 'users';
DROP TABLE sql_users;
