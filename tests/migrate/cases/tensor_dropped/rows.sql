INSERT INTO scan (id, "rows") VALUES (1, 1), (2, 0);
INSERT INTO varve_staged_scan (record, field, dims, bytes) VALUES (1, 3, '1,3', zeroblob(12)), (1, 4, '1', x'07');
