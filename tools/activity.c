// SPDX-License-Identifier: GPL-2.0
/* Lists of what threads and objects did. */
#define _GNU_SOURCE
#include <ctype.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include "activity.h"
#include "names.h"
#include "util.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof(*(array)))

/* The lists that a column may be in. */
enum {
	THREADS	= 1 << 0,
	OBJECTS	= 1 << 1,
	BOTH	= THREADS | OBJECTS,
};

/* A row: a thread or an object. */
struct item {
	const struct thread *thread;
	const struct traced *object;
	const struct counts *counts;
	double seconds;
};

/* Has either a text, or a number as its value, by which the list can be sorted. */
struct column {
	const char *name;
	unsigned int lists;
	char *(*text)(const struct item *item);
	double (*value)(const struct item *item);
	const char *help;
};

/* Columns */

static char *text_command(const struct item *item)
{
	return format("%s", *item->thread->name ? item->thread->name : "?");
}

static char *text_type(const struct item *item)
{
	const char *name = type_names[item->object->type];

	return format("%s", name ? name : "?");
}

static char *text_name(const struct item *item)
{
	const char *name = name_of(item->object->instance, item->object->id);

	return name ? format("%s", name) : NULL;
}

static char *text_mark(const struct item *item)
{
	static const char * const marks[] = {
		[MARK_SPIN] = "spin", [MARK_STARVED] = "starved",
	};
	const struct traced *object = item->object;

	if (item->thread)
		return item->thread->mark ? format("%s", marks[item->thread->mark]) : NULL;
	return object->mark ? format("thrash: %s, %s", object->mates[0],
				     object->mates[1]) : NULL;
}

static double value_tid(const struct item *item)
{
	return item->thread->tid;
}

static double value_pid(const struct item *item)
{
	return item->thread->pid;
}

static double value_instance(const struct item *item)
{
	return item->object->instance;
}

static double value_object(const struct item *item)
{
	return item->object->id;
}

static double value_calls(const struct item *item)
{
	const struct counts *counts = item->counts;

	return (count_waits(counts) + count_signals(counts) +
		counts->created) / item->seconds;
}

static double value_signals(const struct item *item)
{
	return count_signals(item->counts) / item->seconds;
}

/* Milliseconds per second. */
static double value_asleep(const struct item *item)
{
	return item->counts->asleep / 1e6 / item->seconds;
}

#define RATE(name, member)						\
static double value_##name(const struct item *item)			\
{									\
	return item->counts->member / item->seconds;			\
}

RATE(any, any)
RATE(all, all)
RATE(once, once)
RATE(slept, slept)
RATE(timeout, timed_out)
RATE(interrupted, interrupted)
RATE(release, ops[OP_RELEASE])
RATE(unlock, ops[OP_UNLOCK])
RATE(kill, ops[OP_KILL])
RATE(set, ops[OP_SET])
RATE(pulse, ops[OP_PULSE])
RATE(failed, failed)
RATE(woken, woken)
RATE(queued, queued)
RATE(handed, handed)
RATE(created, created)
RATE(destroyed, destroyed)

static const struct column all_columns[] = {
	{ "TID", THREADS, NULL, value_tid, "thread" },
	{ "PID", THREADS, NULL, value_pid, "its process" },
	{ "COMMAND", THREADS, text_command, NULL, "its name" },
	{ "INSTANCE", OBJECTS, NULL, value_instance,
	  "instance that the object belongs to" },
	{ "OBJECT", OBJECTS, NULL, value_object,
	  "number of the object in its instance" },
	{ "TYPE", OBJECTS, text_type, NULL, "semaphore, mutex or event" },
	{ "NAME", OBJECTS, text_name, NULL, "name that --names gives it" },
	{ "CALLS", BOTH, NULL, value_calls, "waits, signals and created objects" },
	{ "ANY", BOTH, NULL, value_any,
	  "waits for any that ended; of an object, by acquiring it" },
	{ "ALL", BOTH, NULL, value_all, "the same for waits for all" },
	{ "ONCE", BOTH, NULL, value_once, "of these waits, those that ended at once" },
	{ "SLEPT", BOTH, NULL, value_slept, "of these waits, those that slept" },
	{ "TIMEOUT", THREADS, NULL, value_timeout, "waits that timed out" },
	{ "BROKEN", THREADS, NULL, value_interrupted, "waits that a Linux signal ended" },
	{ "ASLEEP", BOTH, NULL, value_asleep,
	  "milliseconds of sleep; of an object, in waits that it ended" },
	{ "SIGNALS", BOTH, NULL, value_signals, "sum of the next five columns" },
	{ "RELEASE", BOTH, NULL, value_release, "releases of a semaphore" },
	{ "UNLOCK", BOTH, NULL, value_unlock, "unlocks of a mutex" },
	{ "KILL", BOTH, NULL, value_kill, "owners of a mutex declared dead" },
	{ "SET", BOTH, NULL, value_set, "sets of an event" },
	{ "PULSE", BOTH, NULL, value_pulse, "pulses of an event" },
	{ "FAILED", BOTH, NULL, value_failed, "signals that failed" },
	{ "WAKES", BOTH, NULL, value_woken, "waits that signals satisfied" },
	{ "QUEUED", BOTH, NULL, value_queued,
	  "contention: times that a wait had to queue on an object" },
	{ "HANDED", OBJECTS, NULL, value_handed,
	  "times that it was acquired after a signal of another thread" },
	{ "CREATED", THREADS, NULL, value_created, "objects that it created" },
	{ "DESTROYED", THREADS, NULL, value_destroyed, "objects whose last descriptor it closed" },
	{ "MARK", BOTH, text_mark, NULL, "spin, starved, or thrash and between whom" },
};

static const char usual_threads[] =
	"TID,COMMAND,MARK,CALLS,ANY,ALL,ONCE,SLEPT,TIMEOUT,ASLEEP,SIGNALS,WAKES,QUEUED";
static const char usual_objects[] =
	"INSTANCE,OBJECT,TYPE,MARK,CALLS,ANY,ALL,ONCE,SLEPT,ASLEEP,SIGNALS,WAKES,QUEUED,HANDED";

static const struct column *find_column(const char *name, unsigned int lists)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all_columns); i++)
		if (all_columns[i].lists & lists &&
		    !strcasecmp(all_columns[i].name, name))
			return &all_columns[i];
	return NULL;
}

static void check_column(const char *name, void *unused)
{
	(void)unused;
	if (!find_column(name, BOTH))
		errx(EXIT_TROUBLE,
		     "unknown column '%s': --list-columns lists those of this list",
		     name);
}

/* Ends with a message if a column does not exist. */
void check_view(const struct view *view)
{
	const char *output = view->form->output;

	if (output)
		split_words(output + (*output == '+'), check_column, NULL);
	if (view->sort)
		check_column(view->sort, NULL);
}

void list_activity_columns(void)
{
	static const char * const where[] = {
		[THREADS] = "threads", [OBJECTS] = "objects", [BOTH] = "both",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all_columns); i++)
		printf("%-9s  %-7s  %s\n", all_columns[i].name,
		       where[all_columns[i].lists], all_columns[i].help);
}

const char *next_sort(const char *sort)
{
	const struct column *column = find_column(sort ? sort : "CALLS", BOTH);

	do {
		if (++column == all_columns + ARRAY_SIZE(all_columns))
			column = all_columns;
	} while (column->lists != BOTH || !column->value);
	return column->name;
}

/* Rows */

static const struct column *sort_column;

static int compare_items(const void *a, const void *b)
{
	double x = sort_column->value(a), y = sort_column->value(b);

	return x > y ? -1 : x < y;
}

/* Largest first; unsorted if the list lacks the column, or the column is a text. */
static void sort_items(struct item *items, size_t nr, unsigned int list,
		       const char *sort)
{
	sort_column = find_column(sort ? sort : "CALLS", list);
	if (nr && sort_column && sort_column->value)
		qsort(items, nr, sizeof(*items), compare_items);
}

/* The threads or the objects. */
static struct item *list_items(const struct rates *rates, unsigned int list, size_t *nr)
{
	struct item *items;
	size_t i;

	*nr = list == THREADS ? rates->nr_threads : rates->nr_objects;
	items = allocate((*nr + 1) * sizeof(*items));
	for (i = 0; i < *nr; i++) {
		if (list == THREADS) {
			items[i].thread = rates->threads[i];
			items[i].counts = &rates->threads[i]->counts;
		} else {
			items[i].object = rates->objects[i];
			items[i].counts = &rates->objects[i]->counts;
		}
		items[i].seconds = rates->seconds;
	}
	return items;
}

/* Tables */

struct choice {
	struct libscols_table *table;
	unsigned int list;
	const struct column **columns;
	size_t nr;
};

static void choose(const char *name, void *data)
{
	struct choice *choice = data;
	const struct column *column = find_column(name, choice->list);
	struct libscols_column *new;

	if (!column)
		return;
	choice->columns = grow(choice->columns, choice->nr, sizeof(column));
	choice->columns[choice->nr++] = column;
	new = scols_table_new_column(choice->table, column->name, 0,
				     column->value ? SCOLS_FL_RIGHT : 0);
	if (!new)
		err(EXIT_TROUBLE, NULL);
	scols_column_set_json_type(new, column->value ? SCOLS_JSON_NUMBER :
							SCOLS_JSON_STRING);
}

static void choose_columns(struct choice *choice, const struct view *view)
{
	const char *output = view->form->output;
	size_t i;

	if (view->form->output_all) {
		for (i = 0; i < ARRAY_SIZE(all_columns); i++)
			choose(all_columns[i].name, choice);
		return;
	}
	if (!output || *output == '+')
		split_words(choice->list == THREADS ? usual_threads : usual_objects,
			    choose, choice);
	if (any_names() && !output)
		choose("NAME", choice);
	if (output)
		split_words(output + (*output == '+'), choose, choice);
}

/* In a table for a person, only as many digits as are useful. */
static char *cell(const struct column *column, const struct item *item, bool exact)
{
	double value;
	bool whole;

	if (column->text)
		return column->text(item);
	value = column->value(item);
	whole = value == (long)value;
	return format("%.*f", whole ? 0 : exact ? 3 : value < 9.95, value);
}

static void add_item(const struct choice *choice, const struct item *item,
		     bool exact)
{
	struct libscols_line *line = scols_table_new_line(choice->table, NULL);
	size_t i;

	if (!line)
		err(EXIT_TROUBLE, NULL);
	if (item->thread ? item->thread->mark : item->object->mark)
		scols_line_set_color(line, "red");
	for (i = 0; i < choice->nr; i++)
		if (scols_line_refer_data(line, i, cell(choice->columns[i], item, exact)))
			err(EXIT_TROUBLE, NULL);
}

/* The text of a list, NULL if none of its columns is wanted. */
static char *make_list(const struct rates *rates, unsigned int list,
		       const struct view *view)
{
	struct choice choice = { .table = scols_new_table(), .list = list };
	char *text = NULL;
	size_t i, nr;
	struct item *items = list_items(rates, list, &nr);

	if (!choice.table)
		err(EXIT_TROUBLE, NULL);
	scols_table_set_name(choice.table, list == THREADS ? "threads" : "objects");
	scols_table_enable_json(choice.table, view->form->json);
	scols_table_enable_raw(choice.table, view->form->raw);
	scols_table_enable_noheadings(choice.table, view->form->noheadings);
	scols_table_enable_colors(choice.table, view->colours);
	choose_columns(&choice, view);
	sort_items(items, nr, list, view->sort);
	for (i = 0; i < nr; i++)
		add_item(&choice, &items[i], view->form->json);
	if (choice.nr && scols_print_table_to_string(choice.table, &text))
		err(EXIT_TROUBLE, NULL);
	scols_unref_table(choice.table);
	free(choice.columns);
	free(items);
	return text;
}

/* Threads may fill half of a screen, and more if the objects leave room. */
static size_t thread_lines(const struct rates *rates, size_t lines)
{
	size_t wanted = rates->nr_objects + 1;

	return lines - (wanted < lines / 2 ? wanted : lines / 2);
}

static size_t print_lines(const char *text, size_t most, const char *end)
{
	size_t lines = 0, length;

	while (text && *text && lines < most) {
		length = strcspn(text, "\n");
		printf("%.*s%s\n", (int)length, text, end);
		text += length + (text[length] == '\n');
		lines++;
	}
	return lines;
}

void print_activity(const struct rates *rates, const struct view *view)
{
	const char *end = view->lines ? "\033[K" : "";
	size_t lines = view->lines ? view->lines - 1 : SIZE_MAX, used;
	char *threads = make_list(rates, THREADS, view);
	char *objects = make_list(rates, OBJECTS, view);

	used = print_lines(threads, view->lines ? thread_lines(rates, lines) : lines,
			   end);
	if (threads && objects)
		printf("%s\n", end);
	print_lines(objects, lines - used, end);
	free(threads);
	free(objects);
}

/* Prints what is between the outer braces of a list. */
static void print_member(char *text)
{
	char *last = text ? strrchr(text, '}') : NULL;

	if (!last)
		return;
	while (last > text && isspace((unsigned char)last[-1]))
		last--;
	*last = 0;
	printf(",%s", strchr(text, '{') + 1);
	free(text);
}

void print_activity_json(const struct rates *rates, const struct view *view,
			 unsigned long long lost)
{
	printf("{\n   \"seconds\": %.3f,\n   \"lost\": %llu", rates->seconds, lost);
	print_member(make_list(rates, THREADS, view));
	print_member(make_list(rates, OBJECTS, view));
	puts("\n}");
}
