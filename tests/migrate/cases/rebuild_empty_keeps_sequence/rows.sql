INSERT INTO sample (id, a, b, size) VALUES (41, '', '', 0);
DELETE FROM sample;
