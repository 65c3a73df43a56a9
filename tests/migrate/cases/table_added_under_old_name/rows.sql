INSERT INTO sample (id, a, b, size) VALUES (1, 'a1', 'b1', 10), (2, 'a2', 'b2', 20);
