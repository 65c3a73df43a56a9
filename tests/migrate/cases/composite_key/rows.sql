INSERT INTO cell (x, y, v) VALUES (2, 'b', 1), (1, 'c', NULL), (1, 'a', 3);
