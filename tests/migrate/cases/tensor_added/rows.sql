-- all fits; the dims ask for none; nothing is there
INSERT INTO scan (id, "rows", varve_unknown) VALUES (1, 2, x'1a080000803f00000040220201022a0afdffffffffffffffff0130013a0178'), (2, 2, x'2203010203'), (3, 0, NULL);
-- elements that are not packed, or in parts
INSERT INTO scan (id, "rows", varve_unknown) VALUES (4, 2, x'1d0000803f1a0800000040000040401d0000804028f9ffffffffffffffff0128ac023002');
-- an older program changed the rows; the elements are missing; the dim is
INSERT INTO scan (id, "rows", varve_unknown) VALUES (5, 3, x'1a080000803f000000402a01093001'), (6, 2, x'30023a0178'), (7, 2, x'2a020102');
