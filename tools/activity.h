/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output: offers the rates of an interval as two lists, of threads and of objects, as
 * text or JSON.
 */
#ifndef ACTIVITY_H
#define ACTIVITY_H

#include "rates.h"
#include "table.h"

/* What the lists show. */
struct view {
	const struct form *form;
	const char *sort;	/* name of a column, or NULL for CALLS */
	bool colours;
	size_t lines;		/* that there is room for, 0 for all */
};

void check_view(const struct view *view);
void list_activity_columns(void);

/* The column by which to sort after this one. */
const char *next_sort(const char *sort);

void print_activity(const struct rates *rates, const struct view *view);
void print_activity_json(const struct rates *rates, const struct view *view,
			 unsigned long long lost);

#endif /* ACTIVITY_H */
