INSERT INTO sample (id, a, varve_unknown) VALUES (1, 'kept', x'2a0178'), (2, NULL, x'2a0178'), (3, NULL, NULL);
