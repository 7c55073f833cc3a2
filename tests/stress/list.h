/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of calls for the module ioctls, and what each call has to return. */
#ifndef NTSYNC_STRESS_LIST_H
#define NTSYNC_STRESS_LIST_H

#include "stress.h"
#include "modules/ioctls.h"

#define MAX_CALLS	2048
#define MAX_BATCHES	64
#define MAX_OBJECTS	8	/* in a wait */

/* CREATE and CLOSE are not made from a list. */
enum operation {
	CREATE, WAIT_FOR_ANY, WAIT_FOR_ALL, RELEASE, SET, RESET, PULSE, UNLOCK,
	DECLARE_DEAD, READ_SEM, READ_MUTEX, READ_EVENT, CLOSE, OPERATIONS,
};

static const char *const operation_name[] = {
	"create", "wait any", "wait all", "sem release", "event set",
	"event reset", "event pulse", "mutex unlock", "mutex kill", "sem read",
	"mutex read", "event read", "close",
};

/* How to check a value. */
struct range {
	uint32_t least, most;
};

#define RANGE(from, to)	((struct range){ .least = from, .most = to })
#define ANY_VALUE	RANGE(0, UINT32_MAX)

static inline struct range just(uint32_t value)
{
	return RANGE(value, value);
}

/* A call: its arguments, and what it must return. */
struct step {
	enum operation operation;
	long long answer, other_answer;
	/* What a call that succeeds writes: the index of a wait, or its argument. */
	struct range values[2];
	union {
		uint32_t words[2];
		struct ntsync_wait_args wait;
	} args;
	int objs[MAX_OBJECTS];
};

struct list {
	unsigned int n;
	struct ioctls_call calls[MAX_CALLS];
	struct step steps[MAX_CALLS];
};

static inline struct step *add(struct list *list, enum operation operation, int fd,
			       long long answer)
{
	static const unsigned int requests[] = {
		[WAIT_FOR_ANY] = NTSYNC_IOC_WAIT_ANY,
		[WAIT_FOR_ALL] = NTSYNC_IOC_WAIT_ALL,
		[RELEASE] = NTSYNC_IOC_SEM_RELEASE,
		[SET] = NTSYNC_IOC_EVENT_SET,
		[RESET] = NTSYNC_IOC_EVENT_RESET,
		[PULSE] = NTSYNC_IOC_EVENT_PULSE,
		[UNLOCK] = NTSYNC_IOC_MUTEX_UNLOCK,
		[DECLARE_DEAD] = NTSYNC_IOC_MUTEX_KILL,
		[READ_SEM] = NTSYNC_IOC_SEM_READ,
		[READ_MUTEX] = NTSYNC_IOC_MUTEX_READ,
		[READ_EVENT] = NTSYNC_IOC_EVENT_READ,
	};
	struct step *step = &list->steps[list->n];

	if (list->n == MAX_CALLS) {
		tell("a list of more than %u calls\n", MAX_CALLS);
		exit(2);
	}
	*step = (struct step){
		.operation = operation,
		.answer = answer,
		.other_answer = answer,
		.values = { ANY_VALUE, ANY_VALUE },
	};
	list->calls[list->n++] = (struct ioctls_call){
		.fd = fd,
		.request = requests[operation],
		.argument = (uintptr_t)&step->args,
	};
	return step;
}

static inline void add_event(struct list *list, enum operation operation, int event,
			     struct range before)
{
	add(list, operation, event, 0)->values[0] = before;
}

static inline void add_release(struct list *list, int sem, int answer,
			       struct range before)
{
	struct step *step = add(list, RELEASE, sem, answer);

	step->args.words[0] = 1;
	step->values[0] = before;
}

static inline void add_unlock(struct list *list, int mutex, unsigned int owner,
			      int answer, struct range before)
{
	struct step *step = add(list, UNLOCK, mutex, answer);

	step->args.words[0] = owner;
	step->values[1] = before;
}

static inline void add_declare_dead(struct list *list, int mutex, unsigned int owner,
				    int answer)
{
	add(list, DECLARE_DEAD, mutex, answer)->args.words[0] = owner;
}

static inline void add_read(struct list *list, enum operation operation, int obj,
			    struct range first, struct range second)
{
	struct step *step = add(list, operation, obj, 0);

	step->values[0] = first;
	step->values[1] = second;
}

static inline struct step *add_wait(struct list *list, int device,
				    enum operation operation, const int *objs,
				    unsigned int n, unsigned int owner, uint64_t timeout,
				    int answer)
{
	struct step *step = add(list, operation, device, answer);

	memcpy(step->objs, objs, n * sizeof(*objs));
	step->values[0] = RANGE(0, operation == WAIT_FOR_ANY ? n - 1 : 0);
	step->args.wait = (struct ntsync_wait_args){
		.timeout = timeout,
		.objs = (uintptr_t)step->objs,
		.count = n,
		.index = UINT32_MAX,
		.owner = owner,
	};
	return step;
}

static inline int make_calls(int ioctls, struct list *list)
{
	struct ioctls_list args = {
		.calls = (uintptr_t)list->calls,
		.count = list->n,
	};

	return ntsync_call(ioctls, IOCTLS_MAKE, &args);
}

/* Did a call return what it must?  If not, @why says what is wrong. */
static inline bool answers_right(const struct step *step, long long answer, char *why,
				 size_t size)
{
	bool waited = step->operation == WAIT_FOR_ANY || step->operation == WAIT_FOR_ALL;
	bool written = !answer || (waited && answer == -EOWNERDEAD);
	const char *name = operation_name[step->operation];
	struct range untouched = just(UINT32_MAX);

	if (answer != step->answer && answer != step->other_answer) {
		snprintf(why, size, "%s: returned %lld, not %lld", name, answer,
			 step->answer);
		return false;
	}
	for (unsigned int i = 0; i < (waited ? 1 : 2); i++) {
		const struct range *range = written ? &step->values[i] : &untouched;
		uint32_t value = waited ? step->args.wait.index : step->args.words[i];

		if (!written && !waited)
			continue;
		if (value < range->least || value > range->most) {
			snprintf(why, size, "%s: wrote %u, not %u to %u", name, value,
				 range->least, range->most);
			return false;
		}
	}
	return true;
}

#endif /* NTSYNC_STRESS_LIST_H */
