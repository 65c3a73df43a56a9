INSERT INTO node (id, parent, rank) VALUES (1, NULL, 1), (2, 1, 2), (3, 2, 3), (4, 4, 4);
