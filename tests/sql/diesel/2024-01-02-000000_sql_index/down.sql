DELETE FROM effects WHERE name = 'index';
