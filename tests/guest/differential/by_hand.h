/* SPDX-License-Identifier: GPL-2.0-only */
/* Tests of by_hand.c. */
#ifndef GUEST_DIFFERENTIAL_BY_HAND_H
#define GUEST_DIFFERENTIAL_BY_HAND_H

void what_was_thrown_away_side_by_side(void **state);
void arming_without_a_vector_obeys_the_masks(void **state);
void an_error_loses_nothing_that_was_found(void **state);
void a_page_of_hugetlb_that_is_cut_is_reported(void **state);
void markers_of_others_stay_theirs(void **state);

/* After each of them. */
int by_hand_end(void **state);

#endif /* GUEST_DIFFERENTIAL_BY_HAND_H */
