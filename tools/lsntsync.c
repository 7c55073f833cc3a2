// SPDX-License-Identifier: GPL-2.0
/* Lists the objects of /dev/ntsync, who waits for them, and deadlocks. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "lsntsync.h"

struct options options = {
	.list = LIST_OBJECTS,
	.pids.what = "a process",
	.instances.what = "an instance",
};

/* Filters */

static bool is_among(unsigned int value, const struct numbers *numbers)
{
	size_t i;

	for (i = 0; i < numbers->nr; i++)
		if (numbers->values[i] == value)
			return true;
	return !numbers->nr;
}

static bool pid_wanted(pid_t pid)
{
	return is_among(pid, &options.pids);
}

/* An owned mutex is unsignaled, an abandoned one is signaled. */
static bool state_wanted(enum state state)
{
	unsigned int bits = 1 << state;

	if (state == STATE_OWNED)
		bits |= 1 << STATE_UNSIGNALED;
	if (state == STATE_ABANDONED)
		bits |= 1 << STATE_SIGNALED;
	return !options.states || options.states & bits;
}

static bool object_wanted(const struct object *object)
{
	return is_among(object->instance, &options.instances) &&
	       (!options.types || options.types & (1 << object->type)) &&
	       state_wanted(object_state(object));
}

/* Whether a wanted process takes part in an instance. */
static bool has_wanted_process(const struct snapshot *snapshot,
			       unsigned int instance)
{
	const struct object *object;
	size_t i, j;

	for (i = 0; i < snapshot->nr_objects; i++) {
		object = snapshot->objects[i];
		if (object->instance != instance)
			continue;
		for (j = 0; j < object->nr_holders; j++)
			if (pid_wanted(object->holders[j].process->pid))
				return true;
	}
	return false;
}

/* Waits are judged by all that takes part, so here instances are picked. */
static bool instance_wanted(const struct snapshot *snapshot, unsigned int instance)
{
	return is_among(instance, &options.instances) &&
	       (!options.pids.nr || has_wanted_process(snapshot, instance));
}

/* Lists */

static void flush_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_TROUBLE, "cannot print");
}

static void list_objects(const struct snapshot *snapshot)
{
	struct table *table = new_table("ntsync");
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
	struct table *table = new_table("waits");
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

/* The cycle from its first thread on, then what is stuck behind it. */
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
	struct table *table = new_table("deadlocks");
	unsigned int cycle;

	for (cycle = 1; cycle <= cycles; cycle++)
		list_cycle(table, snapshot, cycle);
	print_table(table);
	if (any_deadlock(snapshot))
		return EXIT_DEADLOCK;
	flush_output();
	warnx("no deadlock among %zu waits", snapshot->nr_waits);
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
			warnx("object %u of instance %u has %u waiters, of which %u are told",
			      object->id, object->instance, object->waiters,
			      object->shown);
	}
	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		unseen += wait_seen(wait) < wait->objects;
	}
	if (unseen)
		warnx("of %zu waits, %zu are for objects that were not all found",
		      snapshot->nr_waits, unseen);
}

static const char silent_driver[] =
	"it is the kernel's own, or older than this program";

/* Ends with a message if what was asked for cannot be known at all. */
static void check_driver(const struct snapshot *snapshot)
{
	if (!snapshot->driver && !snapshot->nr_objects)
		errx(EXIT_TROUBLE,
		     "no driver is loaded: as root, modprobe ntsync (or insmod ntsync.ko)");
	if (snapshot->mute && options.list != LIST_OBJECTS)
		errx(EXIT_TROUBLE, "the driver does not tell who waits: %s",
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
			     "may not inspect process %u (%s): be its user, or root",
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
		warnx("the driver does not tell what its %zu descriptors are: %s",
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
	case LIST_GRAPH:
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

/* Options */

/* The number of a name in an array of names, whose 0 is no name. */
static unsigned int find_name(const char *name, const char * const *names,
			      const char *what)
{
	unsigned int i;

	for (i = 1; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	fprintf(stderr, "lsntsync: unknown %s '%s': there are", what, name);
	for (i = 1; names[i]; i++)
		fprintf(stderr, "%s %s", i > 1 ? "," : "", names[i]);
	fputc('\n', stderr);
	exit(EXIT_TROUBLE);
}

static void add_type(const char *name, void *types)
{
	*(unsigned int *)types |= 1 << find_name(name, type_names, "type");
}

static void add_state(const char *name, void *states)
{
	*(unsigned int *)states |= 1 << find_name(name, state_names, "state");
}

static void add_number(const char *text, void *data)
{
	struct numbers *numbers = data;
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno ||
	    value > UINT_MAX)
		errx(EXIT_TROUBLE, "'%s' is not the number of %s", text,
		     numbers->what);
	numbers->values = grow(numbers->values, numbers->nr,
			       sizeof(*numbers->values));
	numbers->values[numbers->nr++] = value;
}

static double parse_seconds(const char *text)
{
	double seconds;
	char *end;

	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds >= 0.01 && seconds <= 86400))
		errx(EXIT_TROUBLE,
		     "'%s' is no time to wait: give seconds from 0.01 to 86400",
		     text);
	return seconds;
}

static void print_help(void)
{
	puts("usage: lsntsync [options]\n"
	     "\n"
	     "Lists the objects of /dev/ntsync in all processes that may be inspected.\n"
	     "\n"
	     "  -w, --waits             list the threads that wait, and for what\n"
	     "  -d, --deadlocks         list deadlocks; the exit status is 1 if there is one\n"
	     "  -g, --graph             print who waits for whom as a graph for dot\n"
	     "\n"
	     "  -p, --pid PID,...       only of these processes\n"
	     "  -t, --type TYPE,...     only semaphore, mutex, event\n"
	     "  -i, --instance N,...    only of these instances\n"
	     "  -s, --state STATE,...   only signaled, unsignaled, owned, abandoned\n"
	     "      --descriptors       a row for each descriptor, not for each object\n"
	     "\n"
	     "  -o, --output LIST       columns; +LIST adds to those that are usual\n"
	     "      --output-all        all columns\n"
	     "  -H, --list-columns      describe the columns of this list\n"
	     "  -J, --json              print JSON\n"
	     "  -r, --raw               print no alignment\n"
	     "  -n, --noheadings        print no headings\n"
	     "      --watch[=SECONDS]   print again every 2 seconds or so many\n"
	     "      --proc FOLDER       read this instead of /proc\n"
	     "  -h, --help              print this\n"
	     "  -V, --version           print the version\n"
	     "\n"
	     "Exit status: 0; 1 for a deadlock; 2 for trouble.  See lsntsync(1).");
}

static void choose_list(enum list list)
{
	if (options.list != LIST_OBJECTS && options.list != list)
		errx(EXIT_TROUBLE,
		     "--waits, --deadlocks and --graph are lists of their own: give one");
	options.list = list;
}

static void add_proc(const char *folder)
{
	options.proc = grow(options.proc, options.nr_proc, sizeof(folder));
	options.proc[options.nr_proc++] = folder;
}

/* Those without a letter. */
enum {
	OPT_DESCRIPTORS = 256,
	OPT_OUTPUT_ALL,
	OPT_WATCH,
	OPT_PROC,
};

static void take_option(int option)
{
	switch (option) {
	case 'w':
		choose_list(LIST_WAITS);
		break;
	case 'd':
		choose_list(LIST_DEADLOCKS);
		break;
	case 'g':
		choose_list(LIST_GRAPH);
		break;
	case 'p':
		split_words(optarg, add_number, &options.pids);
		break;
	case 't':
		split_words(optarg, add_type, &options.types);
		break;
	case 'i':
		split_words(optarg, add_number, &options.instances);
		break;
	case 's':
		split_words(optarg, add_state, &options.states);
		break;
	case OPT_DESCRIPTORS:
		options.descriptors = true;
		break;
	case 'o':
		options.output = optarg;
		break;
	case OPT_OUTPUT_ALL:
		options.output_all = true;
		break;
	case 'H':
		options.list_columns = true;
		break;
	case 'J':
		options.json = true;
		break;
	case 'r':
		options.raw = true;
		break;
	case 'n':
		options.noheadings = true;
		break;
	case OPT_WATCH:
		options.watch = optarg ? parse_seconds(optarg) : 2;
		break;
	case OPT_PROC:
		add_proc(optarg);
		break;
	case 'h':
		print_help();
		flush_output();
		exit(EXIT_SUCCESS);
	case 'V':
		printf("lsntsync %s\n", VERSION);
		flush_output();
		exit(EXIT_SUCCESS);
	default:
		fprintf(stderr, "lsntsync: --help lists the options\n");
		exit(EXIT_TROUBLE);
	}
}

static void take_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "waits",	  no_argument,	     NULL, 'w' },
		{ "deadlocks",	  no_argument,	     NULL, 'd' },
		{ "graph",	  no_argument,	     NULL, 'g' },
		{ "pid",	  required_argument, NULL, 'p' },
		{ "type",	  required_argument, NULL, 't' },
		{ "instance",	  required_argument, NULL, 'i' },
		{ "state",	  required_argument, NULL, 's' },
		{ "descriptors",  no_argument,	     NULL, OPT_DESCRIPTORS },
		{ "output",	  required_argument, NULL, 'o' },
		{ "output-all",	  no_argument,	     NULL, OPT_OUTPUT_ALL },
		{ "list-columns", no_argument,	     NULL, 'H' },
		{ "json",	  no_argument,	     NULL, 'J' },
		{ "raw",	  no_argument,	     NULL, 'r' },
		{ "noheadings",	  no_argument,	     NULL, 'n' },
		{ "watch",	  optional_argument, NULL, OPT_WATCH },
		{ "proc",	  required_argument, NULL, OPT_PROC },
		{ "help",	  no_argument,	     NULL, 'h' },
		{ "version",	  no_argument,	     NULL, 'V' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "wdgp:t:i:s:o:HJrnhV", names,
				     NULL)) != -1)
		take_option(option);
	if (optind < argc)
		errx(EXIT_TROUBLE, "unexpected '%s': --help lists the options",
		     argv[optind]);
	if (options.json && options.raw)
		errx(EXIT_TROUBLE, "--json and --raw are two forms: give one");
	if (options.list & (LIST_DEADLOCKS | LIST_GRAPH) &&
	    (options.types || options.states))
		errx(EXIT_TROUBLE,
		     "--type and --state pick objects: not with --deadlocks or --graph");
	if (!options.nr_proc)
		add_proc("/proc");
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	/* Times have a point in all languages. */
	setlocale(LC_NUMERIC, "C");
	take_options(argc, argv);
	if (options.list_columns) {
		list_columns();
		flush_output();
		return EXIT_SUCCESS;
	}
	if (options.watch)
		watch();
	return show();
}
