-- Your SQL goes here
INSERT INTO effects (name) VALUES ('second index');
