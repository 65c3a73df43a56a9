/* Tests of orders by time, listed in contract.c. */
#ifndef VARVE_TESTS_CACHE_CONTRACT_ORDER_H
#define VARVE_TESTS_CACHE_CONTRACT_ORDER_H

#include "contract_support.h"

#define SECOND INT64_C(1000) /* ms */

void
the_newest_come_first(void **state);
void
of_one_time_the_greater_key_comes_first(void **state);
void
times_are_exact_to_the_nanosecond(void **state);
void
times_before_1970_are_in_order(void **state);
void
a_long_order_is_read_in_pages(void **state);
void
a_page_is_about_as_long_as_asked_for(void **state);
void
a_put_moves_the_value_in_the_order(void **state);
void
removed_and_expired_values_leave_the_order(void **state);
void
recent_gives_lives(void **state);
void
what_take_fails_with_ends_the_reading(void **state);

#endif
