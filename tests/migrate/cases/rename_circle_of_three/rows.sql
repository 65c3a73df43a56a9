INSERT INTO sample (id, a, b, c) VALUES (1, 'a', 'b', 'c');
