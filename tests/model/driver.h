/* SPDX-License-Identifier: GPL-2.0 */
/* The driver's calls, in terms of model.h. */
#ifndef NTSYNC_DRIVER_H
#define NTSYNC_DRIVER_H

#include "model.h"
#include "objects.h"

static inline int driver_create(int dev, enum model_type type, uint32_t first,
				uint32_t second)
{
	switch (type) {
	case MODEL_SEM:
		return sem_create(dev, first, second);
	case MODEL_MUTEX:
		return mutex_create(dev, first, second);
	default:
		return event_create(dev, first, second);
	}
}

static inline enum model_op driver_read_op(enum model_type type)
{
	switch (type) {
	case MODEL_SEM:
		return MODEL_SEM_READ;
	case MODEL_MUTEX:
		return MODEL_MUTEX_READ;
	default:
		return MODEL_EVENT_READ;
	}
}

/*
 * @in: the argument is read from the first word
 * @result, @results: the words of the result; all others must stay unchanged, and
 *	these too if the call fails
 */
static inline struct model_answer driver_op(int fd, enum model_op op,
					    uint32_t arg)
{
	static const struct {
		unsigned long request;
		bool in;
		int result;
		int results;
	} ops[] = {
		[MODEL_SEM_RELEASE] = { NTSYNC_IOC_SEM_RELEASE, true, 0, 1 },
		[MODEL_SEM_READ] = { NTSYNC_IOC_SEM_READ, false, 0, 2 },
		[MODEL_MUTEX_UNLOCK] = { NTSYNC_IOC_MUTEX_UNLOCK, true, 1, 1 },
		[MODEL_MUTEX_KILL] = { NTSYNC_IOC_MUTEX_KILL, true, 0, 0 },
		[MODEL_MUTEX_READ] = { NTSYNC_IOC_MUTEX_READ, false, 0, 2 },
		[MODEL_EVENT_SET] = { NTSYNC_IOC_EVENT_SET, false, 0, 1 },
		[MODEL_EVENT_RESET] = { NTSYNC_IOC_EVENT_RESET, false, 0, 1 },
		[MODEL_EVENT_PULSE] = { NTSYNC_IOC_EVENT_PULSE, false, 0, 1 },
		[MODEL_EVENT_READ] = { NTSYNC_IOC_EVENT_READ, false, 0, 2 },
	};
	const uint32_t before[2] = { ops[op].in ? arg : GARBAGE, GARBAGE };
	uint32_t words[2] = { before[0], before[1] };
	struct model_answer answer = { };

	answer.ret = ntsync_call(fd, ops[op].request, words);
	for (int i = 0; i < 2; i++) {
		int place = i - ops[op].result;

		if ((!answer.ret || answer.ret == -EOWNERDEAD) && place >= 0 &&
		    place < ops[op].results)
			answer.value[place] = words[i];
		else if (words[i] != before[i])
			answer.value[i] = GARBAGE;
	}
	return answer;
}

/* The answer of a wait that has returned @ret; @index was UINT32_MAX before. */
static inline struct model_answer driver_wait_answer(int ret, uint32_t index)
{
	struct model_answer answer = { .ret = ret, .value = { index } };

	if (ret && ret != -EOWNERDEAD)
		answer.value[0] = index == UINT32_MAX ? 0 : GARBAGE;
	return answer;
}

/* The ioctl's argument; @fds: of all objects; @objs: memory for the array. */
static inline struct ntsync_wait_args
driver_wait_args(const struct model_args *wait, const int *fds, int *objs,
		 __u64 timeout)
{
	for (uint32_t i = 0; i < wait->count; i++)
		objs[i] = fds[wait->objs[i]];
	return (struct ntsync_wait_args) {
		.timeout = timeout,
		.objs = (uintptr_t)objs,
		.count = wait->count,
		.index = UINT32_MAX,
		.owner = wait->owner,
		.alert = wait->alert == MODEL_NO_ALERT ? 0 : fds[wait->alert],
	};
}

static inline unsigned long driver_wait_request(const struct model_args *wait)
{
	return wait->all ? NTSYNC_IOC_WAIT_ALL : NTSYNC_IOC_WAIT_ANY;
}

#endif /* NTSYNC_DRIVER_H */
