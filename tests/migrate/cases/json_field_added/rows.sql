INSERT INTO sample (id, path, marks, varve_unknown) VALUES (1, x'', x'', x'2a0210093004'), (2, x'', x'', NULL);
