-- Made by hand: the first directory of Diesel has this number.
CREATE TABLE setup (id INTEGER PRIMARY KEY);
