/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the calls of /dev/ntsync mean, as a program for one thread: a definition
 * with which the driver is compared.  One operation happens at a time, and each is one
 * step from a state to the next.  It is simple, not fast.
 */
#ifndef NTSYNC_MODEL_H
#define NTSYNC_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_OBJECTS	70
#define MODEL_THREADS	8
#define MODEL_MAX_WAIT	64
#define MODEL_NEVER	UINT64_MAX
#define MODEL_NO_ALERT	(-1)

enum model_type { MODEL_SEM, MODEL_MUTEX, MODEL_EVENT };

/* The operations, except waits. */
enum model_op {
	MODEL_SEM_RELEASE,	/* argument: how many to add */
	MODEL_SEM_READ,
	MODEL_MUTEX_UNLOCK,	/* argument: the owner */
	MODEL_MUTEX_KILL,	/* argument: the owner */
	MODEL_MUTEX_READ,
	MODEL_EVENT_SET,
	MODEL_EVENT_RESET,
	MODEL_EVENT_PULSE,
	MODEL_EVENT_READ,
	MODEL_OPS,
};

/* Members that an object's type does not have are 0. */
struct model_obj {
	enum model_type type;
	uint32_t count;		/* of a semaphore or a mutex */
	uint32_t max;
	uint32_t owner;
	bool abandoned;
	bool manual;
	bool signaled;
};

/*
 * @ret: 0 or a negative errno
 * @value: what is written to the caller's memory: for a read both members of the
 *	state, for another operation the previous count or state, for a wait the
 *	index; 0 if nothing is written
 */
struct model_answer {
	int ret;
	uint32_t value[2];
};

/* Objects are named by their number. */
struct model_args {
	bool all;
	uint32_t owner;
	uint32_t count;
	uint8_t objs[MODEL_MAX_WAIT];
	int alert;
	uint64_t deadline;
};

/*
 * The wait of one thread.
 * @pending: it has begun and not ended
 * @answer: how it ended, if it is not pending
 * @urgency: a wait with a higher one is served earlier; 0 for ordinary threads
 * @began: its number among all waits
 */
struct model_wait {
	bool pending;
	struct model_answer answer;
	struct model_args args;
	int urgency;
	uint64_t began;
};

struct model {
	int objects;
	struct model_obj obj[MODEL_OBJECTS];
	struct model_wait wait[MODEL_THREADS];
	uint64_t now;
	uint64_t waits;
};

/* Only objects: no wait is served. */

int model_obj_init(struct model_obj *obj, enum model_type type,
		   uint32_t first, uint32_t second);
bool model_signaled(const struct model_obj *obj, uint32_t owner);
bool model_acquire(struct model_obj *obj, uint32_t owner);
struct model_answer model_step(struct model_obj *obj, enum model_op op,
			       uint32_t arg);

/* Only waits: what satisfies one, and what it then acquires. */

bool model_all_signaled(const struct model_obj *objs,
			const struct model_args *args);
int model_satisfying(const struct model_obj *objs,
		     const struct model_args *args);
struct model_answer model_take(struct model_obj *objs,
			       const struct model_args *args, int index);

/* Objects and waits together. */

int model_create(struct model *m, enum model_type type, uint32_t first,
		 uint32_t second);
struct model_answer model_do(struct model *m, int obj, enum model_op op,
			     uint32_t arg);
void model_begin_wait(struct model *m, int thread, int urgency,
		      const struct model_args *args);
void model_interrupt(struct model *m, int thread);
void model_restart(struct model *m, int thread);
void model_set_clock(struct model *m, uint64_t now);

#endif /* NTSYNC_MODEL_H */
