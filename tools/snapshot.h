/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The snapshot: one reading of everything that the driver shows in /proc.  It offers the
 * processes, objects, waits and instances that were found, each list in order, with
 * pointers from one to the other.  It judges nothing; deadlock.h does.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum type {
	TYPE_UNKNOWN,
	TYPE_SEMAPHORE,
	TYPE_MUTEX,
	TYPE_EVENT,
};

enum state {
	STATE_UNKNOWN,
	STATE_SIGNALED,
	STATE_UNSIGNALED,
	STATE_OWNED,
	STATE_ABANDONED,
};

/* By the numbers from 1 on, and then NULL. */
extern const char * const type_names[];
extern const char * const state_names[];

struct process {
	pid_t pid;
	char *command;
	bool refused;	/* may not be inspected */
};

/* A descriptor of an object. */
struct holder {
	const struct process *process;
	int fd;
};

/* An object, which may have many descriptors; no instance if the driver shows nothing. */
struct object {
	unsigned int instance;
	unsigned int id;
	enum type type;
	unsigned int owner;
	unsigned int count;
	unsigned int max;
	unsigned int abandoned;	/* 0 or 1, as the next two */
	unsigned int manual;
	unsigned int signaled;
	unsigned int waiters;
	unsigned int shown;	/* waiters of which there was a line */
	struct holder *holders;
	size_t nr_holders;
	bool deadlocked;	/* leads from one wait of a deadlock to the next */
};

/* One of the objects of a wait; its alert has the index wait->objects. */
struct link {
	struct object *object;
	unsigned int index;
	bool open;	/* of a wait with a verdict: someone may signal it */
};

/* What deadlock.h finds; none in a fresh snapshot. */
enum verdict {
	VERDICT_NONE,		/* another thread may end it */
	VERDICT_DEADLOCK,	/* part of a cycle that nothing ends */
	VERDICT_BEHIND,		/* stuck because it waits for such a cycle */
	VERDICT_CIRCULAR,	/* part of a cycle that something can end */
};

struct wait {
	unsigned long long serial;
	pid_t tid;
	pid_t pid;	/* 0 if it could not be found */
	char *command;
	bool all;
	bool deadline;
	bool alert;
	unsigned int instance;
	unsigned int owner;
	unsigned int objects;
	double waited;	/* seconds */
	struct link *links;
	size_t nr_links;

	/* The notes of deadlock.c. */
	enum verdict verdict;
	unsigned int cycle;	/* number, from 1; of a wait with a verdict */
	struct link *through;	/* the mutex that leads to @next */
	struct wait *next;	/* whose owner has that mutex */
	bool lasting;		/* found before and after as well */
	bool candidate;		/* for the verdict that is being searched */
};

struct instance {
	unsigned int id;
	unsigned int objects;	/* how many there are */
	unsigned int seen;		/* how many of them were found */
};

struct snapshot {
	bool driver;		/* there is one, ours or another */
	size_t mute;		/* descriptors without anything about the object */
	size_t refused;		/* processes that may not be inspected */
	struct process **processes;
	size_t nr_processes;
	struct object **objects;	/* by instance and number */
	size_t nr_objects;
	struct wait **waits;		/* by process and thread */
	size_t nr_waits;
	struct instance **instances;	/* whose device was found open */
	size_t nr_instances;
	void *object_tree;		/* of tsearch() */
	void *wait_tree;
};

struct snapshot *snapshot_read(const char *proc);
void snapshot_free(struct snapshot *snapshot);
const struct process *find_process(const struct snapshot *snapshot, pid_t pid);
const struct wait *find_wait(const struct snapshot *snapshot,
			     unsigned long long serial);
enum state object_state(const struct object *object);
unsigned int wait_seen(const struct wait *wait);

#endif /* SNAPSHOT_H */
