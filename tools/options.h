/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line: offers what was asked for, and whether an object, a process or an
 * instance is part of it.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "table.h"

/* As it was asked for; of an empty list of values all are wanted. */
struct numbers {
	const char *what;
	unsigned int *values;
	size_t nr;
};

struct options {
	enum list list;
	struct form form;
	bool list_columns;
	bool descriptors;	/* a row for each, not for each object */
	double watch;		/* seconds, 0 for once */
	double delay;		/* seconds between two lists of rates */
	unsigned int count;	/* how many of these, 0 for no end */
	const char *sort;	/* name of a column, or NULL */
	const char *report;	/* name of the archive */
	bool dry_run;
	unsigned int instance;	/* of the object to follow, 0 for a process */
	unsigned int object;
	struct numbers pids;
	struct numbers instances;
	unsigned int types;	/* bits */
	unsigned int states;	/* bits */
	const char **proc;	/* one for each reading, the last for all others */
	size_t nr_proc;
};

extern struct options options;

void take_options(int argc, char **argv);
bool pid_wanted(pid_t pid);
bool object_wanted(const struct object *object);
bool instance_wanted(const struct snapshot *snapshot, unsigned int instance);

#endif /* OPTIONS_H */
