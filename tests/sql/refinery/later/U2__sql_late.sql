INSERT INTO effects (name) VALUES ('late');
