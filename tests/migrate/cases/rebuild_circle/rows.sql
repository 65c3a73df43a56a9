INSERT INTO "left" (id, n) VALUES (1, 1), (2, 2);
INSERT INTO "right" (id, "left", n) VALUES (5, 1, 1), (6, 2, 2);
UPDATE "left" SET "right" = 5 WHERE id = 2;
