INSERT INTO sample (id, a, b, size, varve_unknown) VALUES (1, 'a', 'b', NULL, NULL), (2, 'a', 'b', 2, x'5a01786009a20601ff');
