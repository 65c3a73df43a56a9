INSERT INTO sample (id, a, b, c, d, e, f, g, h, i, j) VALUES (1, -7, 1, 0.5, 'é', 1, 4000000000, '[1,-2]', '{"1":2}', 1, 5);
