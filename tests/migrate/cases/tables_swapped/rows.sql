INSERT INTO "right" (id, n) VALUES (5, 1), (6, 0), (7, 1);
INSERT INTO varve_staged_right (record, field, dims, bytes) VALUES (5, 3, '1', x'0000803f');
INSERT INTO varve_staged_right (record, field, dataset, place, hash, dims, bytes) VALUES (7, 3, 4, 8, 77, '1', x'');
INSERT INTO "left" (id, a, other) VALUES (1, 'x', 5), (2, 'y', NULL);
