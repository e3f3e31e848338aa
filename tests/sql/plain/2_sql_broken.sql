INSERT INTO effects (name) VALUES ('before');
INSERT INTO sql_not_there (name) VALUES ('broken');
INSERT INTO effects (name) VALUES ('after');
