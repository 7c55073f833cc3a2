// SPDX-License-Identifier: GPL-2.0
/* The columns, and tables made of them. */
#define _GNU_SOURCE
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "table.h"
#include "util.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof(*(array)))

/* Each says in which of the lists it may be. */
struct column {
	const char *name;
	unsigned int lists;
	int json;
	char *(*text)(const struct row *row);
	const char *help;
};

struct table {
	struct libscols_table *table;
	enum list list;
	const struct column **columns;
	size_t nr_columns;
};

/* Columns */

static char *number(unsigned int value)
{
	return format("%u", value);
}

static char *words(const char *value)
{
	return value ? format("%s", value) : NULL;
}

/* A row of a thread that no longer has the object open has no holder. */
static char *text_pid(const struct row *row)
{
	pid_t pid = row->wait ? row->wait->pid : row->holder->process->pid;

	return pid ? format("%d", pid) : NULL;
}

static char *text_tid(const struct row *row)
{
	return row->wait->tid ? format("%d", row->wait->tid) : NULL;
}

static char *text_command(const struct row *row)
{
	return words(row->wait ? row->wait->command :
				 row->holder->process->command);
}

static char *text_fd(const struct row *row)
{
	return row->holder ? format("%d", row->holder->fd) : NULL;
}

static char *text_instance(const struct row *row)
{
	return row->object->instance ? number(row->object->instance) : NULL;
}

static char *text_object(const struct row *row)
{
	return row->object->instance ? number(row->object->id) : NULL;
}

static char *text_type(const struct row *row)
{
	return words(type_names[row->object->type]);
}

static char *text_name(const struct row *row)
{
	return words(name_of(row->object->instance, row->object->id));
}

static char *text_state(const struct row *row)
{
	return words(state_names[object_state(row->object)]);
}

static char *text_owner(const struct row *row)
{
	return row->object->owner ? number(row->object->owner) : NULL;
}

static char *text_count(const struct row *row)
{
	enum type type = row->object->type;

	return type == TYPE_SEMAPHORE || type == TYPE_MUTEX ?
	       number(row->object->count) : NULL;
}

static char *text_max(const struct row *row)
{
	return row->object->type == TYPE_SEMAPHORE ? number(row->object->max) :
						     NULL;
}

static char *text_reset(const struct row *row)
{
	return row->object->type != TYPE_EVENT ? NULL :
	       words(row->object->manual ? "manual" : "auto");
}

static char *text_waiters(const struct row *row)
{
	return row->object->instance ? number(row->object->waiters) : NULL;
}

/* Holders are in the order of processes. */
static bool is_first(const struct object *object, size_t i)
{
	return !i || object->holders[i].process != object->holders[i - 1].process;
}

static char *text_processes(const struct row *row)
{
	size_t i, count = 0;

	if (!row->object->instance)
		return NULL;
	for (i = 0; i < row->object->nr_holders; i++)
		count += is_first(row->object, i);
	return format("%zu", count);
}

static char *text_pids(const struct row *row)
{
	const struct object *object = row->object;
	char *text = NULL, *longer;
	size_t i;

	for (i = 0; i < object->nr_holders; i++) {
		if (!is_first(object, i))
			continue;
		longer = format("%s%s%d", text ? text : "", text ? "," : "",
				object->holders[i].process->pid);
		free(text);
		text = longer;
	}
	return text;
}

static char *text_as(const struct row *row)
{
	return number(row->wait->owner);
}

static char *text_kind(const struct row *row)
{
	return words(row->link->index >= row->wait->objects ? "alert" :
		     row->wait->all ? "all" : "any");
}

static char *text_index(const struct row *row)
{
	return number(row->link->index);
}

static char *text_of(const struct row *row)
{
	return number(row->wait->objects);
}

static char *text_waited(const struct row *row)
{
	return format("%.3f", row->wait->waited);
}

static char *text_deadline(const struct row *row)
{
	return words(row->wait->deadline ? "yes" : "no");
}

static char *text_alert(const struct row *row)
{
	return words(row->wait->alert ? "yes" : "no");
}

static char *text_serial(const struct row *row)
{
	return format("%llu", row->wait->serial);
}

static char *text_cycle(const struct row *row)
{
	return number(row->wait->cycle);
}

static char *text_verdict(const struct row *row)
{
	static const char * const verdicts[] = {
		[VERDICT_DEADLOCK]	= "deadlock",
		[VERDICT_BEHIND]	= "behind",
		[VERDICT_CIRCULAR]	= "circular",
	};

	return words(verdicts[row->wait->verdict]);
}

/* What may end a circular wait, if anything. */
static char *way_out(const struct wait *wait)
{
	unsigned int unseen = wait->all ? 0 : wait->objects - wait_seen(wait);
	const struct object *object = NULL;
	size_t i, open = 0;

	if (wait->deadline)
		return format("deadline%s", wait->alert ? ", alert" : "");
	if (wait->alert)
		return format("alert");
	for (i = wait->nr_links; i-- > 0;) {
		if (wait->links[i].open) {
			object = wait->links[i].object;
			open++;
		}
	}
	if (open > 1)
		return format("%s %u, %zu more",
			      type_names[object->type], object->id, open - 1);
	if (open)
		return format("%s %u", type_names[object->type], object->id);
	if (unseen)
		return format("%u unseen", unseen);
	return NULL;
}

static char *text_wayout(const struct row *row)
{
	return row->wait->verdict == VERDICT_CIRCULAR ? way_out(row->wait) : NULL;
}

#define STRING	SCOLS_JSON_STRING
#define NUMBER	SCOLS_JSON_NUMBER
#define BOOLEAN	SCOLS_JSON_BOOLEAN
#define DEADLOCKS	LIST_DEADLOCKS
#define THREADS	(LIST_WAITS | LIST_DEADLOCKS)
#define ALL	(LIST_OBJECTS | THREADS)

static const struct column all_columns[] = {
	{ "CYCLE", DEADLOCKS, NUMBER, text_cycle,
	  "number of the cycle" },
	{ "VERDICT", DEADLOCKS, STRING, text_verdict,
	  "deadlock, behind (a deadlock), or circular (but not stuck)" },
	{ "TID", THREADS, NUMBER, text_tid,
	  "thread that waits" },
	{ "PID", ALL, NUMBER, text_pid,
	  "process that has the object, or whose thread waits" },
	{ "COMMAND", ALL, STRING, text_command,
	  "name of the process, or of the thread that waits" },
	{ "AS", THREADS, NUMBER, text_as,
	  "owner for whom the thread waits" },
	{ "KIND", THREADS, STRING, text_kind,
	  "wait for any or for all of its objects; alert for its alert" },
	{ "INDEX", THREADS, NUMBER, text_index,
	  "place of the object in the wait" },
	{ "OF", THREADS, NUMBER, text_of,
	  "how many objects the wait has, without its alert" },
	{ "FD", ALL, NUMBER, text_fd,
	  "descriptor of the object in the process" },
	{ "INSTANCE", ALL, NUMBER, text_instance,
	  "instance that the object belongs to" },
	{ "OBJECT", ALL, NUMBER, text_object,
	  "number of the object in its instance" },
	{ "TYPE", ALL, STRING, text_type,
	  "semaphore, mutex or event" },
	{ "NAME", ALL, STRING, text_name,
	  "name that --names gives the object" },
	{ "STATE", ALL, STRING, text_state,
	  "signaled, unsignaled, owned or abandoned" },
	{ "OWNER", ALL, NUMBER, text_owner,
	  "owner of the mutex" },
	{ "COUNT", ALL, NUMBER, text_count,
	  "count of the semaphore or mutex" },
	{ "MAX", ALL, NUMBER, text_max,
	  "maximum of the semaphore" },
	{ "RESET", ALL, STRING, text_reset,
	  "auto or manual, of an event" },
	{ "WAITERS", ALL, NUMBER, text_waiters,
	  "waits for the object" },
	{ "PROCESSES", ALL, NUMBER, text_processes,
	  "processes that have the object" },
	{ "PIDS", ALL, STRING, text_pids,
	  "IDs of these processes" },
	{ "WAITED", THREADS, NUMBER, text_waited,
	  "seconds since the wait began" },
	{ "DEADLINE", THREADS, BOOLEAN, text_deadline,
	  "whether a timeout will end the wait" },
	{ "ALERT", THREADS, BOOLEAN, text_alert,
	  "whether the wait has an alert" },
	{ "SERIAL", THREADS, NUMBER, text_serial,
	  "number of the wait" },
	{ "WAYOUT", DEADLOCKS, STRING, text_wayout,
	  "what can end a circular wait" },
};

static const char *default_columns(enum list list)
{
	switch (list) {
	case LIST_WAITS:
		return "TID,PID,COMMAND,AS,KIND,INSTANCE,OBJECT,TYPE,STATE,OWNER,WAITED";
	case LIST_DEADLOCKS:
		return "CYCLE,VERDICT,TID,PID,COMMAND,AS,INSTANCE,OBJECT,OWNER,WAITED,WAYOUT";
	default:
		return "PID,COMMAND,FD,INSTANCE,OBJECT,TYPE,STATE,OWNER,COUNT,WAITERS,PROCESSES";
	}
}

static const struct column *find_column(enum list list, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all_columns); i++)
		if (all_columns[i].lists & list &&
		    !strcasecmp(all_columns[i].name, name))
			return &all_columns[i];
	errx(EXIT_TROUBLE,
	     "unknown column '%s': --list-columns lists those of this list", name);
}

void list_columns(enum list list)
{
	static const char * const kinds[] = {
		[STRING] = "<string>",
		[NUMBER] = "<number>",
		[BOOLEAN] = "<boolean>",
	};
	const struct column *column;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all_columns); i++) {
		column = &all_columns[i];
		if (column->lists & list)
			printf("%-9s  %-9s  %s\n", column->name,
			       kinds[column->json], column->help);
	}
}

/* Tables */

static void add_column(struct libscols_table *table,
		       const struct column *column)
{
	bool right = column->json == NUMBER;
	struct libscols_column *new;

	new = scols_table_new_column(table, column->name, 0,
				     right ? SCOLS_FL_RIGHT : 0);
	if (!new)
		err(EXIT_TROUBLE, NULL);
	scols_column_set_json_type(new, column->json);
}

static void choose_column(const struct column *column, struct table *table)
{
	table->columns = grow(table->columns, table->nr_columns,
			      sizeof(*table->columns));
	table->columns[table->nr_columns++] = column;
	add_column(table->table, column);
}

static void choose_by_name(const char *name, void *data)
{
	struct table *table = data;

	choose_column(find_column(table->list, name), table);
}

static void choose_columns(struct table *table, const struct form *form)
{
	const char *output = form->output;
	size_t i;

	if (form->output_all) {
		for (i = 0; i < ARRAY_SIZE(all_columns); i++)
			if (all_columns[i].lists & table->list)
				choose_column(&all_columns[i], table);
		return;
	}
	if (!output || *output == '+')
		split_words(default_columns(table->list), choose_by_name, table);
	if (!output && any_names())
		choose_by_name("NAME", table);
	if (output)
		split_words(output + (*output == '+'), choose_by_name, table);
}

struct table *new_table(enum list list, const struct form *form)
{
	struct table *table = allocate(sizeof(*table));
	const char *name = list == LIST_WAITS ? "waits" :
			   list == LIST_DEADLOCKS ? "deadlocks" : "ntsync";

	table->list = list;
	table->table = scols_new_table();
	if (!table->table || scols_table_set_name(table->table, name))
		err(EXIT_TROUBLE, NULL);
	scols_table_enable_json(table->table, form->json);
	scols_table_enable_raw(table->table, form->raw);
	scols_table_enable_noheadings(table->table, form->noheadings);
	choose_columns(table, form);
	return table;
}

void add_row(struct table *table, const struct row *row)
{
	struct libscols_line *line = scols_table_new_line(table->table, NULL);
	size_t i;

	if (!line)
		err(EXIT_TROUBLE, NULL);
	for (i = 0; i < table->nr_columns; i++)
		if (scols_line_refer_data(line, i, table->columns[i]->text(row)))
			err(EXIT_TROUBLE, NULL);
}

void print_table(struct table *table)
{
	if (scols_print_table(table->table))
		err(EXIT_TROUBLE, "cannot print");
	scols_unref_table(table->table);
	free(table->columns);
	free(table);
}
