DELETE FROM effects WHERE name = 'orders';
