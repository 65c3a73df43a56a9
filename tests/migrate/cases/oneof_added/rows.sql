-- Unknown fields: none; word = "x"; count = 5; both, which no writer makes: the first one stays; and field 9.
INSERT INTO "sample" ("id", "name", "varve_unknown") VALUES
  (1, 'none', NULL),
  (2, 'word', x'1a0178'),
  (3, 'count', x'2005'),
  (4, 'both', x'1a01782005'),
  (5, 'other', x'20054801');
