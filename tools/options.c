// SPDX-License-Identifier: GPL-2.0
/* The command line of lsntsync. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "options.h"
#include "util.h"

struct options options = {
	.list = LIST_OBJECTS,
	.pids.what = "a process",
	.instances.what = "an instance",
	.delay = 1,
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

bool pid_wanted(pid_t pid)
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

bool object_wanted(const struct object *object)
{
	return is_among(object->instance, &options.instances) &&
	       (!options.types || options.types & (1 << object->type)) &&
	       state_wanted(object_state(object));
}

/* Does a wanted process use this instance? */
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

/* Verdicts need all waits of an instance, so these lists filter by instance. */
bool instance_wanted(const struct snapshot *snapshot, unsigned int instance)
{
	return is_among(instance, &options.instances) &&
	       (!options.pids.nr || has_wanted_process(snapshot, instance));
}

/* Options */

/* The index of a name in an array of names; 0 is no name. */
static unsigned int find_name(const char *name, const char * const *names,
			      const char *what)
{
	unsigned int i;

	for (i = 1; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	fprintf(stderr, "lsntsync: unknown %s '%s': the %ss are", what, name, what);
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
		     "'%s' is not a time: give seconds from 0.01 to 86400",
		     text);
	return seconds;
}

static unsigned int parse_count(const char *text)
{
	struct numbers numbers = { .what = "lists or events" };

	add_number(text, &numbers);
	if (!*numbers.values)
		errx(EXIT_TROUBLE, "--count must be 1 or more");
	return *numbers.values;
}

/* A process, or an object as INSTANCE:OBJECT. */
static void parse_followed(const char *text)
{
	char rest;

	if (!strchr(text, ':'))
		add_number(text, &options.pids);
	else if (sscanf(text, "%u:%u%c", &options.instance, &options.object,
			&rest) != 2 || !options.instance || !options.object)
		errx(EXIT_TROUBLE,
		     "'%s' is not INSTANCE:OBJECT: lsntsync lists both", text);
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
	     "      --top               show what threads and objects do, and how often\n"
	     "      --follow PID        print what this process does, as it does it\n"
	     "      --follow INST:OBJ   print what happens to this object\n"
	     "      --report FILE       make an archive for a bug report\n"
	     "\n"
	     "  -p, --pid PID,...       only of these processes\n"
	     "  -t, --type TYPE,...     only semaphore, mutex, event\n"
	     "  -i, --instance N,...    only of these instances\n"
	     "  -s, --state STATE,...   only signaled, unsignaled, owned, abandoned\n"
	     "      --descriptors       a row for each descriptor, not for each object\n"
	     "\n"
	     "  -o, --output LIST       columns; +LIST adds to the default columns\n"
	     "      --output-all        all columns\n"
	     "  -H, --list-columns      describe the columns of this list\n"
	     "  -J, --json              print JSON\n"
	     "  -r, --raw               do not align columns\n"
	     "  -n, --noheadings        do not print headings\n"
	     "      --watch[=SECONDS]   print again every 2 or SECONDS seconds\n"
	     "      --names FILE        show names, from lines of INSTANCE:OBJECT NAME\n"
	     "      --proc FOLDER       read this instead of /proc\n"
	     "\n"
	     "      --sort COLUMN       with --top: sort by this, the largest first\n"
	     "      --delay SECONDS     with --top: time that a list covers; default 1\n"
	     "      --count N           with --top: exit after N lists; with --follow:\n"
	     "                          after N events\n"
	     "      --dry-run           with --report: only list what it would contain\n"
	     "\n"
	     "  -h, --help              print this\n"
	     "  -V, --version           print the version\n"
	     "\n"
	     "Exit status: 0; 1 for a deadlock; 2 for an error.  See lsntsync(1).");
}

static void choose_list(enum list list)
{
	if (options.list != LIST_OBJECTS && options.list != list)
		errx(EXIT_TROUBLE,
		     "--waits, --deadlocks, --graph, --top, --follow and --report cannot be combined");
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
	OPT_TOP,
	OPT_FOLLOW,
	OPT_REPORT,
	OPT_DRY_RUN,
	OPT_SORT,
	OPT_DELAY,
	OPT_COUNT,
	OPT_NAMES,
};

/* Options that only the traced lists have, and options that these do not have. */
static void check_traced(void)
{
	bool traced = options.list & (LIST_TOP | LIST_FOLLOW);

	if (options.sort && options.list != LIST_TOP)
		errx(EXIT_TROUBLE, "--sort is for --top");
	if (options.count && !traced)
		errx(EXIT_TROUBLE, "--count is for --top and --follow");
	if (options.dry_run && !options.report)
		errx(EXIT_TROUBLE, "--dry-run is for --report");
	if (traced && (options.types || options.states || options.watch ||
		       options.nr_proc || options.instances.nr))
		errx(EXIT_TROUBLE,
		     "--top can be combined with --pid and the options for its output only, --follow with --count and --names");
	if (options.list == LIST_FOLLOW && options.pids.nr + !!options.instance != 1)
		errx(EXIT_TROUBLE, "--follow follows one process or one object");
}

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
		options.form.output = optarg;
		break;
	case OPT_OUTPUT_ALL:
		options.form.output_all = true;
		break;
	case 'H':
		options.list_columns = true;
		break;
	case 'J':
		options.form.json = true;
		break;
	case 'r':
		options.form.raw = true;
		break;
	case 'n':
		options.form.noheadings = true;
		break;
	case OPT_WATCH:
		options.watch = optarg ? parse_seconds(optarg) : 2;
		break;
	case OPT_PROC:
		add_proc(optarg);
		break;
	case OPT_TOP:
		choose_list(LIST_TOP);
		break;
	case OPT_FOLLOW:
		choose_list(LIST_FOLLOW);
		parse_followed(optarg);
		break;
	case OPT_REPORT:
		choose_list(LIST_REPORT);
		options.report = optarg;
		break;
	case OPT_DRY_RUN:
		options.dry_run = true;
		break;
	case OPT_SORT:
		options.sort = optarg;
		break;
	case OPT_DELAY:
		options.delay = parse_seconds(optarg);
		break;
	case OPT_COUNT:
		options.count = parse_count(optarg);
		break;
	case OPT_NAMES:
		names_read(optarg);
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

void take_options(int argc, char **argv)
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
		{ "top",	  no_argument,	     NULL, OPT_TOP },
		{ "follow",	  required_argument, NULL, OPT_FOLLOW },
		{ "report",	  required_argument, NULL, OPT_REPORT },
		{ "dry-run",	  no_argument,	     NULL, OPT_DRY_RUN },
		{ "sort",	  required_argument, NULL, OPT_SORT },
		{ "delay",	  required_argument, NULL, OPT_DELAY },
		{ "count",	  required_argument, NULL, OPT_COUNT },
		{ "names",	  required_argument, NULL, OPT_NAMES },
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
	if (options.form.json && options.form.raw)
		errx(EXIT_TROUBLE, "--json and --raw cannot be combined");
	if (options.list & (LIST_DEADLOCKS | LIST_GRAPH) &&
	    (options.types || options.states))
		errx(EXIT_TROUBLE,
		     "--type and --state cannot be combined with --deadlocks or --graph");
	check_traced();
	if (!options.nr_proc)
		add_proc("/proc");
}
