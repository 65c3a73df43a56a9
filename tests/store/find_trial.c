#include "find_trial.h"

void
fill_trial(struct lab_trial *trial, struct random *random)
{
    *trial = (struct lab_trial)LAB_TRIAL_INIT;
    trial->step = (int32_t)some_integer(random);
    trial->channel = (uint32_t)some_integer(random);
    trial->started_at = some_integer(random);
    trial->total = (uint64_t)some_integer(random) & INT64_MAX;
    trial->hash = (uint64_t)some_integer(random);
    trial->flag = random_one_in(random, 2);
    trial->mood = (enum lab_mood)(int32_t)some_integer(random);
    trial->score = some_real(random);
    trial->ratio = (float)some_real(random);
    trial->name = some_text(random);
    trial->blob = some_bytes(random);
    trial->has_level = random_one_in(random, 2);
    trial->level = trial->has_level ? some_integer(random) : 0;
    trial->note = random_one_in(random, 3) ? NULL : some_text(random);
    trial->has_weight = !random_one_in(random, 3);
    trial->weight = trial->has_weight ? some_real(random) : 0;
    trial->has_extra = !random_one_in(random, 3);
    trial->extra = trial->has_extra ? some_bytes(random) : trial->extra;
    trial->has_done = !random_one_in(random, 3);
    trial->done = trial->has_done && random_one_in(random, 2);
    trial->result_case = (enum lab_trial_result_case)(
        random_one_in(random, 3) ? 0 : LAB_TRIAL_FIELD_COUNT + (int)random_below(random, 2));
    if (trial->result_case == LAB_TRIAL_RESULT_CASE_COUNT)
        trial->count = (int32_t)some_integer(random);
    else if (trial->result_case == LAB_TRIAL_RESULT_CASE_WORD)
        trial->word = some_text(random);
}
