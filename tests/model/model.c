// SPDX-License-Identifier: GPL-2.0
/* The semantics of /dev/ntsync for one thread: see model.h. */
#include <errno.h>
#include <stddef.h>
#include "model.h"

/* Objects */

/* @first, @second: the members of the ioctl's argument, in their order. */
int model_obj_init(struct model_obj *obj, enum model_type type,
		   uint32_t first, uint32_t second)
{
	*obj = (struct model_obj) { .type = type };
	switch (type) {
	case MODEL_SEM:
		if (first > second)
			return -EINVAL;
		obj->count = first;
		obj->max = second;
		break;
	case MODEL_MUTEX:
		if (!first != !second)
			return -EINVAL;
		obj->owner = first;
		obj->count = second;
		break;
	case MODEL_EVENT:
		obj->manual = first;
		obj->signaled = second;
		break;
	}
	return 0;
}

/* Could this owner acquire the object now? */
bool model_signaled(const struct model_obj *obj, uint32_t owner)
{
	switch (obj->type) {
	case MODEL_SEM:
		return obj->count > 0;
	case MODEL_MUTEX:
		return !obj->owner ||
		       (obj->owner == owner && obj->count < UINT32_MAX);
	default:
		return obj->signaled;
	}
}

/* Returns whether the object was an abandoned mutex. */
bool model_acquire(struct model_obj *obj, uint32_t owner)
{
	bool abandoned = obj->abandoned;

	switch (obj->type) {
	case MODEL_SEM:
		obj->count--;
		break;
	case MODEL_MUTEX:
		obj->count++;
		obj->owner = owner;
		obj->abandoned = false;
		break;
	case MODEL_EVENT:
		obj->signaled = obj->manual;
		break;
	}
	return abandoned;
}

static struct model_answer failed(int error)
{
	return (struct model_answer) { .ret = error };
}

static struct model_answer was(uint32_t value)
{
	return (struct model_answer) { .value = { value } };
}

static struct model_answer sem_release(struct model_obj *sem, uint32_t count)
{
	uint32_t before = sem->count;

	if ((uint64_t)before + count > sem->max)
		return failed(-EOVERFLOW);
	sem->count += count;
	return was(before);
}

static struct model_answer mutex_unlock(struct model_obj *mutex,
					uint32_t owner)
{
	uint32_t before = mutex->count;

	if (!owner)
		return failed(-EINVAL);
	if (mutex->owner != owner)
		return failed(-EPERM);
	mutex->count--;
	if (!mutex->count)
		mutex->owner = 0;
	return was(before);
}

static struct model_answer mutex_kill(struct model_obj *mutex, uint32_t owner)
{
	if (!owner)
		return failed(-EINVAL);
	if (mutex->owner != owner)
		return failed(-EPERM);
	mutex->owner = 0;
	mutex->count = 0;
	mutex->abandoned = true;
	return was(0);
}

static struct model_answer event_become(struct model_obj *event, bool signaled)
{
	bool before = event->signaled;

	event->signaled = signaled;
	return was(before);
}

static struct model_answer reading(const struct model_obj *obj)
{
	switch (obj->type) {
	case MODEL_SEM:
		return (struct model_answer) { 0, { obj->count, obj->max } };
	case MODEL_MUTEX:
		return (struct model_answer) {
			obj->abandoned ? -EOWNERDEAD : 0,
			{ obj->owner, obj->count },
		};
	default:
		return (struct model_answer) {
			0, { obj->manual, obj->signaled },
		};
	}
}

static enum model_type type_of(enum model_op op)
{
	if (op <= MODEL_SEM_READ)
		return MODEL_SEM;
	return op <= MODEL_MUTEX_READ ? MODEL_MUTEX : MODEL_EVENT;
}

/* The end of a pulse, which resets, is left to the caller. */
struct model_answer model_step(struct model_obj *obj, enum model_op op,
			       uint32_t arg)
{
	if (obj->type != type_of(op))
		return failed(-EINVAL);
	switch (op) {
	case MODEL_SEM_RELEASE:
		return sem_release(obj, arg);
	case MODEL_MUTEX_UNLOCK:
		return mutex_unlock(obj, arg);
	case MODEL_MUTEX_KILL:
		return mutex_kill(obj, arg);
	case MODEL_EVENT_SET:
	case MODEL_EVENT_PULSE:
		return event_become(obj, true);
	case MODEL_EVENT_RESET:
		return event_become(obj, false);
	default:
		return reading(obj);
	}
}

/* Waits */

bool model_all_signaled(const struct model_obj *objs,
			const struct model_args *args)
{
	for (uint32_t i = 0; i < args->count; i++)
		if (!model_signaled(&objs[args->objs[i]], args->owner))
			return false;
	return true;
}

/* The index with which the wait would end now, or -1. */
int model_satisfying(const struct model_obj *objs,
		     const struct model_args *args)
{
	if (args->all && model_all_signaled(objs, args))
		return 0;
	for (uint32_t i = 0; !args->all && i < args->count; i++)
		if (model_signaled(&objs[args->objs[i]], args->owner))
			return i;
	if (args->alert != MODEL_NO_ALERT &&
	    model_signaled(&objs[args->alert], args->owner))
		return args->count;
	return -1;
}

/* Acquires the objects of a wait that ends with this index. */
struct model_answer model_take(struct model_obj *objs,
			       const struct model_args *args, int index)
{
	bool abandoned = false;

	if (args->all && model_all_signaled(objs, args)) {
		for (uint32_t i = 0; i < args->count; i++)
			abandoned |= model_acquire(&objs[args->objs[i]],
						   args->owner);
	} else if (index == (int)args->count) {
		abandoned = model_acquire(&objs[args->alert], args->owner);
	} else {
		abandoned = model_acquire(&objs[args->objs[index]],
					  args->owner);
	}
	return (struct model_answer) { abandoned ? -EOWNERDEAD : 0, { index } };
}

/* Of two waits that the same step satisfies, is @a served first? */
static bool served_before(const struct model *m, const struct model_wait *a,
			  const struct model_wait *b)
{
	/* The alert of a wait-for-all is served as a wait-for-any. */
	bool a_all = a->args.all && model_all_signaled(m->obj, &a->args);
	bool b_all = b->args.all && model_all_signaled(m->obj, &b->args);

	if (a_all != b_all)
		return a_all;
	if (a->urgency != b->urgency)
		return a->urgency > b->urgency;
	return a->began < b->began;
}

static struct model_wait *next_to_serve(struct model *m)
{
	struct model_wait *next = NULL;

	for (int i = 0; i < MODEL_THREADS; i++) {
		struct model_wait *wait = &m->wait[i];

		if (wait->pending &&
		    model_satisfying(m->obj, &wait->args) >= 0 &&
		    (!next || served_before(m, wait, next)))
			next = wait;
	}
	return next;
}

static void end_wait(struct model_wait *wait, struct model_answer answer)
{
	wait->pending = false;
	wait->answer = answer;
}

/* Satisfies the waits that can be satisfied after a step. */
static void serve(struct model *m)
{
	struct model_wait *wait;

	while ((wait = next_to_serve(m)))
		end_wait(wait, model_take(m->obj, &wait->args,
					  model_satisfying(m->obj,
							   &wait->args)));
}

static bool repeats(const struct model_args *args)
{
	for (uint32_t i = 0; i < args->count; i++) {
		if (args->objs[i] == args->alert)
			return true;
		for (uint32_t j = 0; j < i; j++)
			if (args->objs[j] == args->objs[i])
				return true;
	}
	return false;
}

/* All together */

/* Returns 0, or an error if the arguments are wrong. */
int model_create(struct model *m, enum model_type type, uint32_t first,
		 uint32_t second)
{
	int ret = model_obj_init(&m->obj[m->objects], type, first, second);

	if (!ret)
		m->objects++;
	return ret;
}

struct model_answer model_do(struct model *m, int obj, enum model_op op,
			     uint32_t arg)
{
	struct model_answer answer = model_step(&m->obj[obj], op, arg);

	serve(m);
	if (op == MODEL_EVENT_PULSE && !answer.ret)
		m->obj[obj].signaled = false;
	return answer;
}

/* A wait whose deadline has passed looks once, and is never pending. */
void model_begin_wait(struct model *m, int thread, int urgency,
		      const struct model_args *args)
{
	struct model_wait *wait = &m->wait[thread];
	int index;

	*wait = (struct model_wait) {
		.args = *args,
		.urgency = urgency,
		.began = m->waits++,
	};
	if (!args->owner || args->count > MODEL_MAX_WAIT ||
	    (args->all && repeats(args))) {
		wait->answer = failed(-EINVAL);
		return;
	}
	index = model_satisfying(m->obj, args);
	if (index >= 0)
		wait->answer = model_take(m->obj, args, index);
	else if (args->deadline <= m->now)
		wait->answer = failed(-ETIMEDOUT);
	else
		wait->pending = true;
}

/* By a signal whose handler does not restart calls. */
void model_interrupt(struct model *m, int thread)
{
	if (m->wait[thread].pending)
		end_wait(&m->wait[thread], failed(-EINTR));
}

/* By a signal whose handler does: the wait begins anew. */
void model_restart(struct model *m, int thread)
{
	struct model_wait *wait = &m->wait[thread];
	struct model_args args = wait->args;

	if (wait->pending)
		model_begin_wait(m, thread, wait->urgency, &args);
}

void model_set_clock(struct model *m, uint64_t now)
{
	m->now = now;
	for (int i = 0; i < MODEL_THREADS; i++) {
		struct model_wait *wait = &m->wait[i];

		if (wait->pending && wait->args.deadline <= now)
			end_wait(wait, failed(-ETIMEDOUT));
	}
}
