-- What other tools take for parameters, and for the end of a statement.
INSERT INTO effects (name) VALUES ('{"at": "12:30:00", "to": ":word", "q": "? $1 %s {} @x"}');
INSERT INTO effects (name) VALUES ('one; -- two');
/* ; 'and' "this" */
