INSERT INTO sample (id, a, b, plain) VALUES (1, 'a', 'b', 7);
