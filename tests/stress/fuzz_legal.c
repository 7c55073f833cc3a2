// SPDX-License-Identifier: GPL-2.0
/* What calls may return, and write if they succeed. */
#define _GNU_SOURCE
#include "fuzz.h"

const char *const operation_name[] = {
	"CREATE_SEM", "CREATE_MUTEX", "CREATE_EVENT", "WAIT_ANY", "WAIT_ALL",
	"SEM_RELEASE", "SEM_READ", "MUTEX_UNLOCK", "MUTEX_KILL", "MUTEX_READ",
	"EVENT_SET", "EVENT_RESET", "EVENT_PULSE", "EVENT_READ",
	"near numbers", "random numbers", "FIOCLEX etc.",
	"poll", "select", "epoll_ctl", "epoll_wait", "fdinfo", "open", "dup",
	"close", "fork", "exec", "SIGKILL", "SIGSTOP", "SIGUSR1", "rmmod",
};

const struct known_ioctl ioctls[KNOWN] = {
	[CREATE_SEM] = { NTSYNC_IOC_CREATE_SEM, 8, DEVICE },
	[CREATE_MUTEX] = { NTSYNC_IOC_CREATE_MUTEX, 8, DEVICE },
	[CREATE_EVENT] = { NTSYNC_IOC_CREATE_EVENT, 8, DEVICE },
	[WAIT_FOR_ANY] = { NTSYNC_IOC_WAIT_ANY, 40, DEVICE },
	[WAIT_FOR_ALL] = { NTSYNC_IOC_WAIT_ALL, 40, DEVICE },
	[SEM_RELEASE] = { NTSYNC_IOC_SEM_RELEASE, 4, SEM },
	[SEM_READ] = { NTSYNC_IOC_SEM_READ, 8, SEM },
	[MUTEX_UNLOCK] = { NTSYNC_IOC_MUTEX_UNLOCK, 8, MUTEX },
	[MUTEX_KILL] = { NTSYNC_IOC_MUTEX_KILL, 4, MUTEX },
	[MUTEX_READ] = { NTSYNC_IOC_MUTEX_READ, 8, MUTEX },
	[EVENT_SET] = { NTSYNC_IOC_EVENT_SET, 4, EVENT },
	[EVENT_RESET] = { NTSYNC_IOC_EVENT_RESET, 4, EVENT },
	[EVENT_PULSE] = { NTSYNC_IOC_EVENT_PULSE, 4, EVENT },
	[EVENT_READ] = { NTSYNC_IOC_EVENT_READ, 8, EVENT },
};

[[gnu::format(printf, 2, 3)]]
void wrong(const struct fuzzer *f, const char *format, ...)
{
	char what[256];
	va_list list;

	va_start(list, format);
	vsnprintf(what, sizeof(what), format, list);
	va_end(list);
	if (atomic_fetch_add(&control->wrong, 1) < 10)
		tell("fuzz: WRONG (%zu bits, worker %u, generation %u, thread %u%s): %s\n",
		     8 * sizeof(void *), f->worker, f->generation, f->thread,
		     f->child ? ", child" : "", what);
	atomic_store(&control->stop, 1);
}

const char *kind_name(const struct target *target)
{
	static const char *const names[] = {
		"a closed descriptor", "another file", "a device",
		"a semaphore", "a mutex", "an event",
	};

	return target->known ? names[target->known->kind] : "a racing file";
}

static void wrong_answer(const struct fuzzer *f, const struct attempt *a,
			 int error, unsigned int legal)
{
	char text[128];
	size_t len = 0;

	for (unsigned int i = 0; i < ANSWERS; i++)
		if (legal & (1u << i))
			len += snprintf(text + len, sizeof(text) - len, " %s",
					answer_name(i));
	wrong(f, "%s (0x%x) on %s gave errno %d, legal:%s; count %u, owner %u, timeout %llx",
	      operation_name[a->operation], a->number, kind_name(&a->on), error,
	      text, a->wait.count, a->wait.owner,
	      (unsigned long long)a->wait.timeout);
}

/*
 * What a call may return.  The checks are in the order of the interface: one
 * that must fail decides the result.
 */

static unsigned int legal_create(const struct fuzzer *f,
				 const struct attempt *a)
{
	if (!can_read(&a->arg, 0, 8))
		return may_say(EFAULT);
	if (a->operation == CREATE_SEM && a->words[0] > a->words[1])
		return may_say(EINVAL);
	if (a->operation == CREATE_MUTEX && !a->words[0] != !a->words[1])
		return may_say(EINVAL);
	if (f->no_descriptors)
		return may_say(EMFILE) | may_say(ENOMEM);
	return may_say(0) | may_say(ENOMEM);
}

/* Can a wait in this instance use the object? */
static bool fits(const struct attempt *a, const struct target *object)
{
	if (!object->known || !a->on.known)
		return true;
	return object->known->kind >= SEM &&
	       object->known->instance == a->on.known->instance;
}

static bool sure(const struct attempt *a, const struct target *object)
{
	return object->known && a->on.known;
}

static bool same_file(const struct target *one, const struct target *other)
{
	return one->known && other->known && one->known->id == other->known->id;
}

static unsigned int legal_descriptors(const struct attempt *a)
{
	unsigned int legal = may_say(0);

	for (uint32_t i = 0; i < a->wait.count; i++) {
		if (!fits(a, &a->objs[i]))
			return may_say(EINVAL);
		if (!sure(a, &a->objs[i]))
			legal |= may_say(EINVAL);
	}
	if (!a->wait.alert)
		return legal;
	if (!fits(a, &a->alert))
		return may_say(EINVAL);
	if (!sure(a, &a->alert))
		legal |= may_say(EINVAL);
	return legal;
}

static bool repeats(const struct attempt *a)
{
	for (uint32_t i = 0; i < a->wait.count; i++) {
		if (a->wait.alert && same_file(&a->objs[i], &a->alert))
			return true;
		for (uint32_t j = 0; j < i; j++)
			if (same_file(&a->objs[i], &a->objs[j]))
				return true;
	}
	return false;
}

static bool may_be_mutex(const struct target *target)
{
	return !target->known || target->known->kind == MUTEX;
}

static bool mutex_among(const struct attempt *a)
{
	for (uint32_t i = 0; i < a->wait.count; i++)
		if (may_be_mutex(&a->objs[i]))
			return true;
	return a->wait.alert && may_be_mutex(&a->alert);
}

static unsigned int legal_ends(const struct attempt *a)
{
	unsigned int legal = may_say(0);

	if (a->operation == WAIT_FOR_ALL && !a->wait.count)
		return legal;
	if (mutex_among(a))
		legal |= may_say(EOWNERDEAD);
	if (a->wait.timeout < INT64_MAX)
		legal |= may_say(ETIMEDOUT);
	if (!a->past)
		legal |= may_say(EINTR);
	return legal;
}

static unsigned int legal_wait(const struct attempt *a)
{
	const struct ntsync_wait_args *wait = &a->wait;
	unsigned int legal;

	if (!can_read(&a->arg, 0, sizeof(*wait)))
		return may_say(EFAULT);
	if (wait->pad || wait->flags & ~NTSYNC_WAIT_REALTIME || !wait->owner ||
	    wait->count > NTSYNC_MAX_WAIT_COUNT)
		return may_say(EINVAL);
	if (!can_read(&a->array, 0, 4 * wait->count))
		return may_say(EFAULT);
	legal = legal_descriptors(a);
	if (a->operation == WAIT_FOR_ALL && repeats(a))
		legal = may_say(EINVAL);
	if (legal & may_say(0)) {
		legal &= ~may_say(0);
		if (can_write(&a->arg, offsetof(typeof(*wait), index), 4))
			legal |= legal_ends(a);
		else
			legal |= may_say(EFAULT);
	}
	return legal | may_say(ENOMEM);
}

static unsigned int legal_semaphore(const struct attempt *a, enum kind kind)
{
	if (a->operation == SEM_READ) {
		if (kind != SEM)
			return may_say(EINVAL);
		return may_say(can_write(&a->arg, 0, 8) ? 0 : EFAULT);
	}
	if (!can_read(&a->arg, 0, 4))
		return may_say(EFAULT);
	if (kind != SEM)
		return may_say(EINVAL);
	if (!can_write(&a->arg, 0, 4))
		return may_say(EFAULT);
	return may_say(0) | (a->words[0] ? may_say(EOVERFLOW) : 0);
}

static unsigned int legal_mutex(const struct attempt *a, enum kind kind)
{
	if (a->operation == MUTEX_READ) {
		if (kind != MUTEX)
			return may_say(EINVAL);
		if (!can_write(&a->arg, 0, 8))
			return may_say(EFAULT);
		return may_say(0) | may_say(EOWNERDEAD);
	}
	if (!can_read(&a->arg, 0, ioctls[a->operation].size))
		return may_say(EFAULT);
	if (kind != MUTEX || !a->words[0])
		return may_say(EINVAL);
	if (a->operation == MUTEX_UNLOCK && !can_write(&a->arg, 4, 4))
		return may_say(EFAULT);
	return may_say(0) | may_say(EPERM);
}

static unsigned int legal_event(const struct attempt *a, enum kind kind)
{
	if (kind != EVENT)
		return may_say(EINVAL);
	return may_say(can_write(&a->arg, 0, ioctls[a->operation].size) ?
		       0 : EFAULT);
}

static unsigned int legal_of_kind(const struct fuzzer *f,
				  const struct attempt *a, enum kind kind)
{
	bool for_devices = a->operation <= WAIT_FOR_ALL;
	bool device = kind == DEVICE;

	if (kind == CLOSED)
		return may_say(EBADF);
	if (a->operation == GENERIC)
		return may_say(0) | may_say(EFAULT) | may_say(ENOTTY);
	if (kind == OTHER_FILE || a->operation >= KNOWN ||
	    device != for_devices)
		return may_say(ENOTTY);

	switch (a->operation) {
	case CREATE_SEM:
	case CREATE_MUTEX:
	case CREATE_EVENT:
		return legal_create(f, a);
	case WAIT_FOR_ANY:
	case WAIT_FOR_ALL:
		return legal_wait(a);
	case SEM_RELEASE:
	case SEM_READ:
		return legal_semaphore(a, kind);
	case MUTEX_UNLOCK:
	case MUTEX_KILL:
	case MUTEX_READ:
		return legal_mutex(a, kind);
	default:
		return legal_event(a, kind);
	}
}

static unsigned int legal_answers(const struct fuzzer *f,
				  const struct attempt *a)
{
	unsigned int legal = 0;

	if (a->on.known)
		return legal_of_kind(f, a, a->on.known->kind);
	for (enum kind kind = CLOSED; kind < KINDS; kind++)
		legal |= legal_of_kind(f, a, kind);
	return legal;
}

/* What a call that succeeded may have written */

static void check_index(const struct fuzzer *f, const struct attempt *a,
			int error, uint32_t index)
{
	uint32_t places = a->operation == WAIT_FOR_ANY ? a->wait.count : 1;
	const struct target *ended = &a->objs[index];

	if (index == a->wait.count && a->wait.alert)
		ended = &a->alert;
	else if (index >= places)
		wrong(f, "%s of %u with alert %u: index %u",
		      operation_name[a->operation], a->wait.count,
		      a->wait.alert, index);
	else if (a->operation == WAIT_FOR_ALL)
		return;
	if (error == EOWNERDEAD && !may_be_mutex(ended))
		wrong(f, "EOWNERDEAD by %s", kind_name(ended));
}

static void check_pair(const struct fuzzer *f, const struct attempt *a,
		       int error, uint32_t first, uint32_t second)
{
	const struct known *known = a->on.known;
	bool good;

	if (a->operation == SEM_READ)
		good = first <= second && (!known || !known->limit_known ||
					   second == known->limit);
	else if (a->operation == MUTEX_READ)
		good = !first == !second && (!error || !first);
	else
		good = first <= 1 && second <= 1 &&
		       (!known || !known->limit_known || first == known->limit);
	if (!good)
		wrong(f, "%s: %u, %u", operation_name[a->operation], first,
		      second);
}

static void check_results(const struct fuzzer *f, const struct attempt *a,
			  int error)
{
	uint32_t first;

	switch (a->operation) {
	case WAIT_FOR_ANY:
	case WAIT_FOR_ALL:
		check_index(f, a, error,
			    place_result(&a->arg, offsetof(struct ntsync_wait_args,
							   index)));
		break;
	case SEM_READ:
	case MUTEX_READ:
	case EVENT_READ:
		first = place_result(&a->arg, 0);
		check_pair(f, a, error, first, place_result(&a->arg, 4));
		break;
	case MUTEX_UNLOCK:
		if (!place_result(&a->arg, 4))
			wrong(f, "unlock of an unowned mutex");
		break;
	case SEM_RELEASE:
		place_result(&a->arg, 0);
		break;
	case EVENT_SET:
	case EVENT_RESET:
	case EVENT_PULSE:
		if (place_result(&a->arg, 0) > 1)
			wrong(f, "an event was neither set nor unset");
		break;
	default:
		break;
	}
}

/* Checks what a call returned, and what it wrote if it succeeded. */
void check_answer(const struct fuzzer *f, const struct attempt *a, int error)
{
	unsigned int legal = legal_answers(f, a);

	if (!(legal & may_say(error)) || answer(error) == ANSWERS - 1)
		wrong_answer(f, a, error, legal);
	else if (a->operation < KNOWN && (!error || error == EOWNERDEAD))
		check_results(f, a, error);
}
