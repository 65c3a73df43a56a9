INSERT INTO subject (id, code) VALUES (1, 'x'), (2, 'y'), (9, 'z');
DELETE FROM subject WHERE id = 9;
INSERT INTO visit (id, subject, code) VALUES (1, 1, 'x'), (2, 1, NULL), (3, 2, 'x');
INSERT INTO mark (id, visit) VALUES (1, 1), (2, 2);
