INSERT INTO scan (id, "rows") VALUES (1, 1), (2, 0), (3, 1);
INSERT INTO varve_staged_scan (record, field, dims, bytes) VALUES (1, 3, '1,3', zeroblob(12)), (1, 4, '1', x'07');
INSERT INTO varve_staged_scan (record, field, dataset, place, hash, dims, bytes) VALUES
  (3, 3, 1, 36, -7, '1,3', x''), (3, 4, 2, 12, 9, '1', x'');
