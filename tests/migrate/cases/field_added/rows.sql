INSERT INTO sample (id, a, b, size, varve_unknown) VALUES (1, 'a', 'b', 1, NULL), (2, 'a', 'b', 2, x'3a0201024a0161a20601ff');
