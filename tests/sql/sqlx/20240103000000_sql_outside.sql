-- no-transaction
INSERT INTO effects (name) VALUES ('outside');
