INSERT INTO effects (name) VALUES ('orders');
