INSERT INTO "right" (id, n) VALUES (5, 1), (6, 0);
INSERT INTO varve_staged_right (record, field, dims, bytes) VALUES (5, 3, '1', x'0000803f');
INSERT INTO "left" (id, a, other) VALUES (1, 'x', 5), (2, 'y', NULL);
