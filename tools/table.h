/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output: offers tables, as text or JSON, whose rows are objects or waits of a
 * snapshot, in the columns that were asked for.
 */
#ifndef TABLE_H
#define TABLE_H

#include "snapshot.h"

/* What to show; the first three are tables. */
enum list {
	LIST_OBJECTS	= 1 << 0,
	LIST_WAITS	= 1 << 1,
	LIST_DEADLOCKS	= 1 << 2,
	LIST_GRAPH	= 1 << 3,
	LIST_TOP	= 1 << 4,
	LIST_FOLLOW	= 1 << 5,
	LIST_REPORT	= 1 << 6,
};

/* How. */
struct form {
	bool json;
	bool raw;
	bool noheadings;
	bool output_all;
	const char *output;	/* names of columns, or NULL for the usual ones */
};

struct row {
	const struct object *object;
	const struct holder *holder;	/* NULL if the process has it no longer */
	const struct wait *wait;	/* NULL in the list of objects */
	const struct link *link;
};

struct table;

void list_columns(enum list list);
struct table *new_table(enum list list, const struct form *form);
void add_row(struct table *table, const struct row *row);
void print_table(struct table *table);

#endif /* TABLE_H */
