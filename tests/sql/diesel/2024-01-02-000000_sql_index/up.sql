INSERT INTO effects (name) VALUES ('index');
