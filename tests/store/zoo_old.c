/* A program of the zoo schema's first version:
 *
 *     zoo_old FOLDER fill     makes two animals, with fields that it does not know
 *     zoo_old FOLDER hold     opens the store, says "open", and closes it when its input ends
 *     zoo_old FOLDER open     opens and closes it
 *
 * It ends with 0, or with the status of what failed, which it says.
 */
#include <stdio.h>
#include <string.h>

#include "zoo.varve.h"

/* Fields 6 "tags", 7 "weight", 8 "marks", 9 "origin" of the next version, and one of a later: 50. */
static const uint8_t unknown[] = {0x32, 1, 'x', 0x38, 12,  0x42, 5, 10,  1,    'm', 16, 3,
                                  0x4a, 3, 10,  1,    'O', 0x32, 1, 'y', 0x90, 3,   1};

static enum varve_status
insert(struct varve_session *session, int64_t keeper, const char *name, struct zoo_place *place)
{
    struct zoo_animal *animal;
    struct zoo_place *stays[] = {place, place};
    enum varve_status status = zoo_animal_unpack(unknown, sizeof unknown, &animal);
    if (status != VARVE_OK)
        return status;
    animal->name = name;
    animal->place = place;
    animal->stays.count = place ? 2 : 0;
    animal->stays.data = place ? stays : NULL;
    animal->has_keeper_id = 1;
    animal->keeper_id = keeper;
    status = zoo_animal_insert(session, animal);
    zoo_animal_free(animal);
    return status;
}

static enum varve_status
fill(struct varve_store *store)
{
    struct varve_session *session;
    struct zoo_keeper keeper = ZOO_KEEPER_INIT;
    struct zoo_place place = ZOO_PLACE_INIT;
    keeper.name = "Ada";
    place.room = "aviary";
    place.shelf = 2;
    enum varve_status status = varve_session_open(store, &session);
    if (status == VARVE_OK)
        status = zoo_keeper_insert(session, &keeper);
    if (status == VARVE_OK)
        status = insert(session, keeper.id, "stork", &place);
    if (status == VARVE_OK)
        status = insert(session, keeper.id, "lynx", NULL);
    varve_session_close(session);
    return status;
}

int
main(int argc, char **argv)
{
    struct varve_store *store;
    struct varve_error error;
    if (argc != 3)
        return 100;
    struct varve_config config = {.data_dir = argv[1]};
    enum varve_status status = varve_open(&zoo_schema, &config, &store, &error);
    if (status != VARVE_OK) {
        puts(error.message);
        return (int)status;
    }
    if (strcmp(argv[2], "fill") == 0)
        status = fill(store);
    if (status != VARVE_OK)
        puts(varve_session_error(NULL));
    if (strcmp(argv[2], "hold") == 0) {
        puts("open");
        fflush(stdout);
        while (getchar() != EOF)
            continue;
    }
    varve_close(store);
    return (int)status;
}
