// SPDX-License-Identifier: GPL-2.0
/* The wait-for graph, in the language of Graphviz. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include "graph.h"
#include "names.h"

static const char * const looks[] = {
	[VERDICT_NONE]		= "",
	[VERDICT_DEADLOCK]	= ", color=red, penwidth=2",
	[VERDICT_BEHIND]	= ", color=darkorange",
	[VERDICT_CIRCULAR]	= ", color=red, style=dashed",
};

static void print_quoted(const char *text)
{
	for (; *text; text++) {
		if (strchr("\"\\", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void print_thread(const struct wait *wait)
{
	printf("\t\twait%llu [label=\"", wait->serial);
	print_quoted(wait->command ? wait->command : "thread");
	if (wait->tid)
		printf(" %d", wait->tid);
	printf("\\nowner %u, %.3f s%s\"%s];\n", wait->owner,
	       wait->waited, wait->deadline ? ", deadline" : "",
	       looks[wait->verdict]);
}

static void print_object(const struct object *object)
{
	const char *type = type_names[object->type];
	const char *state = state_names[object_state(object)];
	const char *name = name_of(object->instance, object->id);

	printf("\t\tobject%u_%u [shape=box, label=\"%s %u\\n", object->instance,
	       object->id, type ? type : "object", object->id);
	if (name) {
		print_quoted(name);
		fputs("\\n", stdout);
	}
	printf("%s\"];\n", state ? state : "");
}

/* From a thread to the objects that it waits for. */
static void print_wait_edges(const struct wait *wait)
{
	const struct object *object;
	const struct link *link;
	const char *kind;
	size_t i;

	for (i = 0; i < wait->nr_links; i++) {
		link = &wait->links[i];
		object = link->object;
		kind = link->index >= wait->objects ? "alert" :
		       wait->objects == 1 ? "" : wait->all ? "all" : "any";
		printf("\t\twait%llu -> object%u_%u [label=\"%s\"%s];\n",
		       wait->serial, object->instance, object->id, kind,
		       link == wait->through ? looks[wait->verdict] : "");
	}
}

/* From a mutex to the waits of its owner, or to the owner if it has none. */
static void print_owner_edges(const struct snapshot *snapshot,
			      const struct object *object)
{
	unsigned int instance = object->instance, owner = object->owner;
	const struct wait *wait;
	bool waits = false;
	size_t i;

	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		if (wait->instance != instance || wait->owner != owner)
			continue;
		waits = true;
		printf("\t\tobject%u_%u -> wait%llu [label=\"owned by\"%s];\n",
		       instance, object->id, wait->serial,
		       object->deadlocked ? looks[VERDICT_DEADLOCK] : "");
	}
	if (waits)
		return;
	printf("\t\towner%u_%u [label=\"owner %u\", style=dotted];\n",
	       instance, owner, owner);
	printf("\t\tobject%u_%u -> owner%u_%u [label=\"owned by\"];\n",
	       instance, object->id, instance, owner);
}

static void print_instance(const struct snapshot *snapshot, unsigned int instance)
{
	const struct object *object;
	const struct wait *wait;
	size_t i;

	printf("\tsubgraph cluster%u {\n", instance);
	printf("\t\tlabel=\"instance %u\";\n", instance);
	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		if (wait->instance != instance)
			continue;
		print_thread(wait);
		print_wait_edges(wait);
	}
	for (i = 0; i < snapshot->nr_objects; i++) {
		object = snapshot->objects[i];
		if (object->instance != instance || !object->shown)
			continue;
		print_object(object);
		if (object->type == TYPE_MUTEX && object->owner)
			print_owner_edges(snapshot, object);
	}
	printf("\t}\n");
}

/* Only objects that are part of a wait. */
void print_graph(const struct snapshot *snapshot,
		 bool (*wanted)(const struct snapshot *snapshot,
				unsigned int instance))
{
	const struct object *object;
	unsigned int instance = 0;
	size_t i;

	printf("digraph ntsync {\n\trankdir=LR;\n\tfontname=\"sans-serif\";\n");
	printf("\tnode [fontname=\"sans-serif\"];\n");
	printf("\tedge [fontname=\"sans-serif\"];\n");
	for (i = 0; i < snapshot->nr_objects; i++) {
		object = snapshot->objects[i];
		if (!object->shown || object->instance == instance)
			continue;
		instance = object->instance;
		if (wanted(snapshot, instance))
			print_instance(snapshot, instance);
	}
	printf("}\n");
}
