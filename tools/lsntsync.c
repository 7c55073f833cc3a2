// SPDX-License-Identifier: GPL-2.0
/* Lists the objects of /dev/ntsync, who waits for them, and deadlocks. */
#define _GNU_SOURCE
#include <locale.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "deadlock.h"
#include "follow.h"
#include "graph.h"
#include "options.h"
#include "report.h"
#include "top.h"
#include "util.h"

/* Exit status; no trouble and no deadlock is 0. */
#define EXIT_DEADLOCK	1

/* Lists */

static void list_objects(const struct snapshot *snapshot)
{
	struct table *table = new_table(LIST_OBJECTS, &options.form);
	struct row row = { };
	size_t i, j;

	for (i = 0; i < snapshot->nr_objects; i++) {
		row.object = snapshot->objects[i];
		if (!object_wanted(row.object))
			continue;
		for (j = 0; j < row.object->nr_holders; j++) {
			row.holder = &row.object->holders[j];
			if (!pid_wanted(row.holder->process->pid))
				continue;
			add_row(table, &row);
			if (!options.descriptors)
				break;
		}
	}
	print_table(table);
}

/* The waiter's own descriptor of the object. */
static const struct holder *find_holder(const struct object *object, pid_t pid)
{
	size_t i;

	for (i = 0; i < object->nr_holders; i++)
		if (object->holders[i].process->pid == pid)
			return &object->holders[i];
	return NULL;
}

static void add_wait(struct table *table, const struct wait *wait,
		     const struct link *link)
{
	const struct row row = {
		.object = link->object,
		.holder = find_holder(link->object, wait->pid),
		.wait = wait,
		.link = link,
	};

	add_row(table, &row);
}

static void list_waits(const struct snapshot *snapshot)
{
	struct table *table = new_table(LIST_WAITS, &options.form);
	const struct wait *wait;
	size_t i, j;

	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		if (!pid_wanted(wait->pid))
			continue;
		for (j = 0; j < wait->nr_links; j++)
			if (object_wanted(wait->links[j].object))
				add_wait(table, wait, &wait->links[j]);
	}
	print_table(table);
}

/* The cycle from its first thread on, then the waits that are stuck behind it. */
static void list_cycle(struct table *table, const struct snapshot *snapshot,
		       unsigned int cycle)
{
	const struct wait *wait, *first = NULL;
	size_t i;

	for (i = 0; !first; i++) {
		wait = snapshot->waits[i];
		if (wait->cycle == cycle && (wait->verdict == VERDICT_DEADLOCK ||
					     wait->verdict == VERDICT_CIRCULAR))
			first = wait;
	}
	if (!instance_wanted(snapshot, first->instance))
		return;
	wait = first;
	do {
		add_wait(table, wait, wait->through);
		wait = wait->next;
	} while (wait != first);
	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		if (wait->cycle == cycle && wait->verdict == VERDICT_BEHIND)
			add_wait(table, wait, wait->through);
	}
}

static bool any_deadlock(const struct snapshot *snapshot)
{
	const struct wait *wait;
	size_t i;

	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		if (wait->verdict == VERDICT_DEADLOCK &&
		    instance_wanted(snapshot, wait->instance))
			return true;
	}
	return false;
}

/* Returns the exit status. */
static int list_deadlocks(const struct snapshot *snapshot, unsigned int cycles)
{
	struct table *table = new_table(LIST_DEADLOCKS, &options.form);
	unsigned int cycle;

	for (cycle = 1; cycle <= cycles; cycle++)
		list_cycle(table, snapshot, cycle);
	print_table(table);
	if (any_deadlock(snapshot))
		return EXIT_DEADLOCK;
	flush_output();
	warnx("no deadlock among %zu wait%s", snapshot->nr_waits,
	      plural(snapshot->nr_waits));
	return EXIT_SUCCESS;
}

/* What could not be known */

static void note_unseen_objects(const struct snapshot *snapshot)
{
	const struct instance *instance;
	size_t i;

	for (i = 0; i < snapshot->nr_instances; i++) {
		instance = snapshot->instances[i];
		if (instance->seen < instance->objects &&
		    instance_wanted(snapshot, instance->id))
			warnx("instance %u has %u objects, of which %u were found",
			      instance->id, instance->objects, instance->seen);
	}
}

static void note_unseen_waits(const struct snapshot *snapshot)
{
	const struct object *object;
	const struct wait *wait;
	size_t i, unseen = 0;

	for (i = 0; i < snapshot->nr_objects; i++) {
		object = snapshot->objects[i];
		if (object->shown < object->waiters)
			warnx("object %u of instance %u has %u waiters, of which %u are listed",
			      object->id, object->instance, object->waiters,
			      object->shown);
	}
	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		unseen += wait_seen(wait) < wait->objects;
	}
	if (unseen)
		warnx("%zu of %zu waits: not all of their objects were found", unseen,
		      snapshot->nr_waits);
}

static const char silent_driver[] =
	"it is the kernel's own, or older than this program";

/* Ends with a message if the question cannot be answered at all. */
static void check_driver(const struct snapshot *snapshot)
{
	if (!snapshot->driver && !snapshot->nr_objects)
		errx(EXIT_TROUBLE,
		     "no driver is loaded: as root, modprobe ntsync (or insmod ntsync.ko)");
	if (snapshot->mute && options.list != LIST_OBJECTS)
		errx(EXIT_TROUBLE, "the driver does not show who waits: %s",
		     silent_driver);
}

static void check_pids(const struct snapshot *snapshot)
{
	const struct process *process;
	unsigned int pid;
	size_t i;

	for (i = 0; i < options.pids.nr; i++) {
		pid = options.pids.values[i];
		process = find_process(snapshot, pid);
		if (!process)
			errx(EXIT_TROUBLE, "there is no process %u", pid);
		if (process->refused)
			errx(EXIT_TROUBLE,
			     "no permission to inspect process %u (%s): run as its user or as root",
			     pid, process->command);
	}
}

static void note_limits(const struct snapshot *snapshot)
{
	flush_output();
	if (snapshot->refused && !options.pids.nr)
		warnx("could not inspect %zu of %zu processes: root can",
		      snapshot->refused, snapshot->nr_processes);
	if (snapshot->mute)
		warnx("the driver does not show what its %zu descriptors are: %s",
		      snapshot->mute, silent_driver);
	if (!snapshot->nr_objects)
		warnx("none of the processes has an object");
	note_unseen_objects(snapshot);
	if (options.list != LIST_OBJECTS)
		note_unseen_waits(snapshot);
}

/* Readings */

static struct snapshot *next_reading(void)
{
	static size_t readings;
	size_t i = readings < options.nr_proc ? readings : options.nr_proc - 1;

	readings++;
	return snapshot_read(options.proc[i]);
}

/* Returns the exit status. */
static int show(void)
{
	struct snapshot *snapshot = next_reading(), *before = NULL, *after = NULL;
	unsigned int cycles = 0;
	int status = EXIT_SUCCESS;

	check_driver(snapshot);
	check_pids(snapshot);
	if (options.list & (LIST_DEADLOCKS | LIST_GRAPH)) {
		before = snapshot;
		snapshot = next_reading();
		after = next_reading();
		cycles = find_deadlocks(snapshot, before, after);
		snapshot_free(before);
		snapshot_free(after);
	}
	switch (options.list) {
	case LIST_OBJECTS:
		list_objects(snapshot);
		break;
	case LIST_WAITS:
		list_waits(snapshot);
		break;
	case LIST_DEADLOCKS:
		status = list_deadlocks(snapshot, cycles);
		break;
	default:
		print_graph(snapshot, instance_wanted);
		break;
	}
	note_limits(snapshot);
	snapshot_free(snapshot);
	return status;
}

static void watch(void)
{
	const struct timespec pause = {
		.tv_sec = options.watch,
		.tv_nsec = (options.watch - (time_t)options.watch) * 1e9,
	};

	for (;;) {
		/* From the upper left corner of an empty screen. */
		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		show();
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	/* The decimal separator is a point in all languages. */
	setlocale(LC_NUMERIC, "C");
	take_options(argc, argv);
	if (options.list_columns) {
		if (options.list == LIST_TOP)
			list_activity_columns();
		else
			list_columns(options.list);
		flush_output();
		return EXIT_SUCCESS;
	}
	switch (options.list) {
	case LIST_TOP:
		return top(&options);
	case LIST_FOLLOW:
		return follow(&options);
	case LIST_REPORT:
		return report(options.report, options.dry_run);
	default:
		if (options.watch)
			watch();
		return show();
	}
}
