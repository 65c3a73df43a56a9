INSERT INTO subject (id, code) VALUES (-3, 'x'), (7, 'y');
INSERT INTO visit (id, subject, code) VALUES (1, -3, 'y'), (2, 7, NULL);
