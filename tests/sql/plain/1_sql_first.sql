INSERT INTO effects (name) VALUES ('first');
