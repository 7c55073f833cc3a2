// SPDX-License-Identifier: GPL-2.0
/*
 * One reading of /proc.  It takes a while, and processes keep running: if a process,
 * a descriptor or a file of /proc has just gone, that is not an error.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "proc.h"
#include "snapshot.h"
#include "util.h"

#define NSEC_PER_SEC	1000000000.0

const char * const type_names[] = {
	[TYPE_SEMAPHORE]	= "semaphore",
	[TYPE_MUTEX]		= "mutex",
	[TYPE_EVENT]		= "event",
	NULL
};

const char * const state_names[] = {
	[STATE_SIGNALED]	= "signaled",
	[STATE_UNSIGNALED]	= "unsignaled",
	[STATE_OWNED]		= "owned",
	[STATE_ABANDONED]	= "abandoned",
	NULL
};

/* The content of one fdinfo: an object with its waits, or the device. */
struct fdinfo {
	bool told;	/* it says anything at all */
	bool device;
	unsigned int objects;
	struct object object;
	struct wait *waits;
	unsigned int *indices;	/* one for each of @waits */
	size_t nr_waits;
};

static bool parse_u32(const char *text, unsigned int *value)
{
	unsigned long long number;

	if (!parse_u64(text, &number) || number > UINT_MAX)
		return false;
	*value = number;
	return true;
}

static struct process *add_process(struct snapshot *snapshot, pid_t pid,
				   const char *command)
{
	struct process *process = allocate(sizeof(*process));

	process->pid = pid;
	process->command = format("%s", command);
	snapshot->processes = grow(snapshot->processes, snapshot->nr_processes,
				   sizeof(process));
	snapshot->processes[snapshot->nr_processes++] = process;
	return process;
}

/* A thread's process and name, as far as they can be found. */
static void name_thread(const char *proc, struct wait *wait)
{
	struct status status;
	char tid[16];

	snprintf(tid, sizeof(tid), "%d", wait->tid);
	if (wait->tid && read_status(proc, tid, &status)) {
		wait->pid = status.tgid;
		wait->command = format("%s", status.name);
	}
}

/* The lines of fdinfo */

/* "serial=42 tid=812 kind=any ...", in any order, with or without others. */
static void parse_wait(char *text, struct fdinfo *info)
{
	struct wait wait = { };
	unsigned long long waited = 0;
	unsigned int index = 0;
	char *word, *value, *rest;

	for (word = strtok_r(text, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		value = strchr(word, '=');
		if (!value)
			continue;
		*value++ = 0;
		if (!strcmp(word, "serial"))
			parse_u64(value, &wait.serial);
		else if (!strcmp(word, "tid") && parse_id(value) > 0)
			wait.tid = parse_id(value);
		else if (!strcmp(word, "kind"))
			wait.all = !strcmp(value, "all");
		else if (!strcmp(word, "index"))
			parse_u32(value, &index);
		else if (!strcmp(word, "owner"))
			parse_u32(value, &wait.owner);
		else if (!strcmp(word, "waited"))
			parse_u64(value, &waited);
		else if (!strcmp(word, "deadline"))
			wait.deadline = !strcmp(value, "yes");
		else if (!strcmp(word, "alert"))
			wait.alert = !strcmp(value, "yes");
		else if (!strcmp(word, "objects"))
			parse_u32(value, &wait.objects);
	}
	if (!wait.serial)
		return;
	wait.waited = waited / NSEC_PER_SEC;
	info->waits = grow(info->waits, info->nr_waits, sizeof(wait));
	info->indices = grow(info->indices, info->nr_waits, sizeof(index));
	info->waits[info->nr_waits] = wait;
	info->indices[info->nr_waits++] = index;
}

static enum type parse_type(const char *value)
{
	enum type type = TYPE_EVENT;

	while (type != TYPE_UNKNOWN && strcmp(value, type_names[type]))
		type--;
	return type;
}

static void parse_line(const char *key, char *value, struct fdinfo *info)
{
	struct object *object = &info->object;
	const struct {
		const char *key;
		unsigned int *number;
	} numbers[] = {
		{ "instance",	&object->instance },
		{ "object",	&object->id },
		{ "owner",	&object->owner },
		{ "count",	&object->count },
		{ "max",	&object->max },
		{ "abandoned",	&object->abandoned },
		{ "manual",	&object->manual },
		{ "signaled",	&object->signaled },
		{ "waiters",	&object->waiters },
		{ "objects",	&info->objects },
	};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (!strcmp(key, numbers[i].key))
			parse_u32(value, numbers[i].number);
	if (!strcmp(key, "instance"))
		info->told = true;
	else if (!strcmp(key, "objects"))
		info->device = true;
	else if (!strcmp(key, "type"))
		object->type = parse_type(value);
	else if (!strcmp(key, "wait"))
		parse_wait(value, info);
}

static bool read_fdinfo(int folder, const char *fd, struct fdinfo *info)
{
	char *text = read_file(folder, fd), *key, *value;

	*info = (struct fdinfo) { };
	if (!text)
		return false;
	while (next_line(&text, &key, &value))
		parse_line(key, value, info);
	return true;
}

/* Objects, waits and instances are looked up by their numbers. */

static int compare(unsigned long long a, unsigned long long b)
{
	return a < b ? -1 : a > b;
}

static int compare_objects(const void *a, const void *b)
{
	const struct object *x = a, *y = b;
	int order = compare(x->instance, y->instance);

	return order ? order : compare(x->id, y->id);
}

static int compare_waits(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	return compare(x->serial, y->serial);
}

/* How to sort arrays, most of them of pointers. */

static int order_waits(const void *a, const void *b)
{
	const struct wait *x = *(void * const *)a, *y = *(void * const *)b;
	int order = compare(x->pid, y->pid);

	order = order ? order : compare(x->tid, y->tid);
	return order ? order : compare(x->serial, y->serial);
}

static int order_processes(const void *a, const void *b)
{
	const struct process *x = *(void * const *)a, *y = *(void * const *)b;

	return compare(x->pid, y->pid);
}

static int order_instances(const void *a, const void *b)
{
	const struct instance *x = *(void * const *)a, *y = *(void * const *)b;

	return compare(x->id, y->id);
}

static int order_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return compare(x->index, y->index);
}

static int order_holders(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;
	int order = compare(x->process->pid, y->process->pid);

	return order ? order : compare(x->fd, y->fd);
}

/* Objects about which nothing is known have one holder each. */
static int order_objects(const void *a, const void *b)
{
	const struct object *x = *(void * const *)a, *y = *(void * const *)b;
	int order = compare_objects(x, y);

	return order ? order : order_holders(x->holders, y->holders);
}

static void sort(void *array, size_t nr, size_t size,
		 int (*order)(const void *a, const void *b))
{
	if (nr)
		qsort(array, nr, size, order);
}

static struct object *new_object(struct snapshot *snapshot,
				 const struct object *object)
{
	struct object *new = allocate(sizeof(*new));

	*new = *object;
	snapshot->objects = grow(snapshot->objects, snapshot->nr_objects,
				 sizeof(new));
	snapshot->objects[snapshot->nr_objects++] = new;
	return new;
}

static void add_holder(struct object *object, const struct process *process,
		       int fd)
{
	object->holders = grow(object->holders, object->nr_holders,
			       sizeof(*object->holders));
	object->holders[object->nr_holders++] = (struct holder) { process, fd };
}

/* tsearch() returns a pointer to what it keeps, the first of a kind. */
static void *remember(void **tree, void *key,
		      int (*order)(const void *a, const void *b))
{
	void **kept = tsearch(key, tree, order);

	if (!kept)
		err(EXIT_TROUBLE, NULL);
	return *kept;
}

static void add_link(struct snapshot *snapshot, const char *proc,
		     const struct wait *seen, struct object *object,
		     unsigned int index)
{
	struct wait **kept = tfind(seen, &snapshot->wait_tree, compare_waits);
	struct wait *wait;

	if (kept) {
		wait = *kept;
	} else {
		wait = allocate(sizeof(*wait));
		*wait = *seen;
		wait->instance = object->instance;
		name_thread(proc, wait);
		remember(&snapshot->wait_tree, wait, compare_waits);
		snapshot->waits = grow(snapshot->waits, snapshot->nr_waits,
				       sizeof(wait));
		snapshot->waits[snapshot->nr_waits++] = wait;
	}
	wait->links = grow(wait->links, wait->nr_links, sizeof(*wait->links));
	wait->links[wait->nr_links++] = (struct link) { object, index, false };
}

/*
 * State and waits of an object come from the first descriptor that leads to it:
 * from one instant, as far as there is one.
 */
static void add_object(struct snapshot *snapshot, const char *proc,
		       const struct process *process, int fd,
		       const struct fdinfo *info)
{
	struct object **kept = tfind(&info->object, &snapshot->object_tree,
				     compare_objects);
	struct object *object;
	size_t i;

	if (kept) {
		add_holder(*kept, process, fd);
		return;
	}
	object = new_object(snapshot, &info->object);
	remember(&snapshot->object_tree, object, compare_objects);
	object->shown = info->nr_waits;
	add_holder(object, process, fd);
	for (i = 0; i < info->nr_waits; i++)
		add_link(snapshot, proc, &info->waits[i], object,
			 info->indices[i]);
}

static void add_instance(struct snapshot *snapshot, const struct fdinfo *info)
{
	struct instance *instance = allocate(sizeof(*instance));

	instance->id = info->object.instance;
	instance->objects = info->objects;
	snapshot->instances = grow(snapshot->instances, snapshot->nr_instances,
				   sizeof(instance));
	snapshot->instances[snapshot->nr_instances++] = instance;
}

/* Descriptors */

static void read_descriptor(struct snapshot *snapshot, const char *proc,
			    const struct process *process, int fds, int fdinfos,
			    const char *fd)
{
	enum target target = read_target(fds, fd);
	struct fdinfo info;

	if (target == TARGET_OTHER)
		return;
	if (!read_fdinfo(fdinfos, fd, &info))
		return;
	if (info.told && info.device) {
		add_instance(snapshot, &info);
	} else if (info.told) {
		add_object(snapshot, proc, process, parse_id(fd), &info);
	} else if (target == TARGET_OBJECT) {
		snapshot->mute++;
		add_holder(new_object(snapshot, &info.object), process,
			   parse_id(fd));
	}
	free(info.waits);
	free(info.indices);
}

static void read_descriptors(struct snapshot *snapshot, const char *proc,
			     const char *task, struct process *process)
{
	DIR *fds = open_folder(proc, task, "fd");
	DIR *fdinfos = fds ? open_folder(proc, task, "fdinfo") : NULL;
	struct dirent *entry;

	if (!fdinfos && (errno == EACCES || errno == EPERM)) {
		process->refused = true;
		snapshot->refused++;
	}
	while (fdinfos && (entry = readdir(fds)))
		if (parse_id(entry->d_name) >= 0)
			read_descriptor(snapshot, proc, process, dirfd(fds),
					dirfd(fdinfos), entry->d_name);
	if (fdinfos)
		closedir(fdinfos);
	if (fds)
		closedir(fds);
}

static void read_process(struct snapshot *snapshot, const char *proc,
			 const char *pid)
{
	struct status status;
	char task[NAME_MAX];

	if (!find_task(proc, pid, task, &status))
		return;
	read_descriptors(snapshot, proc, task,
			 add_process(snapshot, parse_id(pid), status.name));
}

/* Is there a driver of this name? */
static bool find_driver(const char *proc)
{
	char path[PATH_MAX], *text, *line, *name;

	snprintf(path, sizeof(path), "%s/misc", proc);
	text = read_file(AT_FDCWD, path);
	while ((line = strsep(&text, "\n"))) {
		name = strrchr(line, ' ');
		if (name && !strcmp(name + 1, "ntsync"))
			return true;
	}
	return false;
}

/* An instance has as many lines as descriptors of its device are open. */
static void count_seen(struct snapshot *snapshot)
{
	size_t i, kept = 0, first = 0;
	struct instance *instance;

	sort(snapshot->instances, snapshot->nr_instances,
	     sizeof(*snapshot->instances), order_instances);
	for (i = 0; i < snapshot->nr_instances; i++) {
		instance = snapshot->instances[i];
		if (kept && snapshot->instances[kept - 1]->id == instance->id)
			free(instance);
		else
			snapshot->instances[kept++] = instance;
	}
	snapshot->nr_instances = kept;

	for (i = 0; i < kept; i++) {
		instance = snapshot->instances[i];
		while (first < snapshot->nr_objects &&
		       snapshot->objects[first]->instance < instance->id)
			first++;
		while (first < snapshot->nr_objects &&
		       snapshot->objects[first]->instance == instance->id) {
			instance->seen++;
			first++;
		}
	}
}

static void put_in_order(struct snapshot *snapshot)
{
	size_t i;

	sort(snapshot->processes, snapshot->nr_processes,
	     sizeof(*snapshot->processes), order_processes);
	sort(snapshot->objects, snapshot->nr_objects,
	     sizeof(*snapshot->objects), order_objects);
	for (i = 0; i < snapshot->nr_objects; i++)
		sort(snapshot->objects[i]->holders,
		     snapshot->objects[i]->nr_holders,
		     sizeof(struct holder), order_holders);
	sort(snapshot->waits, snapshot->nr_waits,
	     sizeof(*snapshot->waits), order_waits);
	for (i = 0; i < snapshot->nr_waits; i++)
		sort(snapshot->waits[i]->links, snapshot->waits[i]->nr_links,
		     sizeof(struct link), order_links);
	count_seen(snapshot);
}

struct snapshot *snapshot_read(const char *proc)
{
	struct snapshot *snapshot = allocate(sizeof(*snapshot));
	struct dirent *entry;
	DIR *dir;

	dir = opendir(proc);
	if (!dir)
		err(EXIT_TROUBLE, "cannot read %s", proc);
	snapshot->driver = find_driver(proc);
	while ((entry = readdir(dir)))
		if (parse_id(entry->d_name) >= 0)
			read_process(snapshot, proc, entry->d_name);
	closedir(dir);
	put_in_order(snapshot);
	return snapshot;
}

/* Trees keep pointers only. */
static void keep(void *node)
{
	(void)node;
}

void snapshot_free(struct snapshot *snapshot)
{
	size_t i;

	tdestroy(snapshot->object_tree, keep);
	tdestroy(snapshot->wait_tree, keep);
	for (i = 0; i < snapshot->nr_processes; i++) {
		free(snapshot->processes[i]->command);
		free(snapshot->processes[i]);
	}
	for (i = 0; i < snapshot->nr_objects; i++) {
		free(snapshot->objects[i]->holders);
		free(snapshot->objects[i]);
	}
	for (i = 0; i < snapshot->nr_waits; i++) {
		free(snapshot->waits[i]->command);
		free(snapshot->waits[i]->links);
		free(snapshot->waits[i]);
	}
	for (i = 0; i < snapshot->nr_instances; i++)
		free(snapshot->instances[i]);
	free(snapshot->processes);
	free(snapshot->objects);
	free(snapshot->waits);
	free(snapshot->instances);
	free(snapshot);
}

/* Questions */

const struct process *find_process(const struct snapshot *snapshot, pid_t pid)
{
	const struct process key = { .pid = pid }, *wanted = &key;
	struct process **found;

	found = bsearch(&wanted, snapshot->processes, snapshot->nr_processes,
			sizeof(*found), order_processes);
	return found ? *found : NULL;
}

const struct wait *find_wait(const struct snapshot *snapshot,
			     unsigned long long serial)
{
	const struct wait wanted = { .serial = serial };
	struct wait **found;

	found = tfind(&wanted, &snapshot->wait_tree, compare_waits);
	return found ? *found : NULL;
}

/* Abandoned is signaled too, and owned is unsignaled for all but the owner. */
enum state object_state(const struct object *object)
{
	switch (object->type) {
	case TYPE_SEMAPHORE:
		return object->count ? STATE_SIGNALED : STATE_UNSIGNALED;
	case TYPE_MUTEX:
		return object->owner ? STATE_OWNED :
		       object->abandoned ? STATE_ABANDONED : STATE_SIGNALED;
	case TYPE_EVENT:
		return object->signaled ? STATE_SIGNALED : STATE_UNSIGNALED;
	default:
		return STATE_UNKNOWN;
	}
}

/* How many of the wait's objects were found, without the alert. */
unsigned int wait_seen(const struct wait *wait)
{
	unsigned int seen = 0;
	size_t i;

	for (i = 0; i < wait->nr_links; i++)
		if (wait->links[i].index < wait->objects &&
		    (!i || wait->links[i].index != wait->links[i - 1].index))
			seen++;
	return seen;
}
