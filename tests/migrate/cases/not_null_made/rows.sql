INSERT INTO sample (id, a, b, size) VALUES (1, 'a', 'b', NULL), (2, 'a', 'b', 7);
