INSERT INTO effects (name) VALUES ('items');
