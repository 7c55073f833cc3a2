// SPDX-License-Identifier: GPL-2.0
/*
 * Calls at random: numbers, arguments, descriptors and memory, right and wrong,
 * by processes of both widths whose threads close, dup, fork, exec and kill
 * under each other.  What each call may answer is known from the interface;
 * anything else is an error, and so is a byte changed beyond the result.
 *
 * The first process starts the others, workers, and starts them again when they
 * are killed.  Its descriptors have fixed numbers, and theirs do too:
 * a thread's own slots, of which it knows what they hold, and slots that all
 * threads of a process replace under each other.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include "stress.h"
#include "arena.h"
#include "kcov.h"

#define MAX_WORKERS	32
#define THREADS		3
#define SLOTS		24
#define MOST_OBJECTS	70	/* in a wait: more than it may have */

/* Descriptors.  What is created gets a number below all of these. */
enum {
	FD_CONTROL = 100,
	FD_DEVICE,			/* of the two shared instances */
	FD_BELL = FD_DEVICE + 2,	/* events that are set all the time */
	FD_POOL = FD_BELL + 2,		/* objects that all processes share */
	FD_POOL_END = FD_POOL + 12,
	FD_EPOLL = 150,
	FD_RACE,			/* replaced under each other */
	FD_RACE_END = FD_RACE + 24,
	FD_OWN = 200,			/* THREADS * SLOTS */
	FD_END = FD_OWN + THREADS * SLOTS,
};

/* What a descriptor stands for. */
enum kind { CLOSED, OTHER_FILE, DEVICE, SEM, MUTEX, EVENT, KINDS };

enum operation {
	CREATE_SEM, CREATE_MUTEX, CREATE_EVENT, WAIT_FOR_ANY, WAIT_FOR_ALL,
	SEM_RELEASE, SEM_READ, MUTEX_UNLOCK, MUTEX_KILL, MUTEX_READ, EVENT_SET,
	EVENT_RESET, EVENT_PULSE, EVENT_READ,
	KNOWN, NEAR = KNOWN, RANDOM, GENERIC,
	IOCTLS,
	POLL = IOCTLS, SELECT, EPOLL_CTL, EPOLL_WAIT, FDINFO, OPEN, DUP, CLOSE,
	FORK, EXEC, KILL, STOP, SIGNAL, UNLOAD,
	OPERATIONS,
};

static const char *const operation_name[] = {
	"CREATE_SEM", "CREATE_MUTEX", "CREATE_EVENT", "WAIT_ANY", "WAIT_ALL",
	"SEM_RELEASE", "SEM_READ", "MUTEX_UNLOCK", "MUTEX_KILL", "MUTEX_READ",
	"EVENT_SET", "EVENT_RESET", "EVENT_PULSE", "EVENT_READ",
	"near numbers", "random numbers", "FIOCLEX etc.",
	"poll", "select", "epoll_ctl", "epoll_wait", "fdinfo", "open", "dup",
	"close", "fork", "exec", "SIGKILL", "SIGSTOP", "SIGUSR1", "rmmod",
};

/* The ioctls: number, size of the argument, and on what they act. */
static const struct {
	unsigned int number;
	unsigned int size;
	enum kind on;
} ioctls[KNOWN] = {
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

/*
 * What a descriptor is known to stand for.  @id tells files apart; @limit is a
 * semaphore's maximum or an event's kind, if @limit_known.
 */
struct known {
	enum kind kind;
	unsigned int instance;
	unsigned int id;
	bool limit_known;
	uint32_t limit;
};

/* @known is NULL where other threads replace the file at any time. */
struct target {
	int fd;
	const struct known *known;
};

/* What all processes share.  Only words: both widths see the same. */
struct control {
	uint32_t seed[2];
	atomic_uint stop;
	atomic_uint wrong;
	atomic_uint pollable;
	struct worker {
		atomic_int pid;
		atomic_uint generation;
		atomic_uint doomed;
		struct thread {
			atomic_uint moves;
			struct tally tally;
		} threads[THREADS];
	} workers[MAX_WORKERS];
	struct tally boss;
	struct kcov_map kcov;
};

static struct control *control;
static char **program_args;

/* One thread of a worker, or a child that it forked. */
struct fuzzer {
	unsigned int worker;
	unsigned int generation;
	unsigned int thread;
	struct thread *shared;
	uint64_t random;
	struct arena arg;
	struct arena array;
	struct known own[SLOTS];
	unsigned int last_id;
	unsigned int last_instance;
	bool child;
	bool no_descriptors;
	struct kcov kcov;
};

/* One ioctl. */
struct attempt {
	enum operation operation;
	unsigned int number;
	struct target on;
	struct place arg;
	uint32_t words[2];
	struct ntsync_wait_args wait;
	struct place array;
	struct target objs[MOST_OBJECTS];
	struct target alert;
	bool past;
};

static const struct known nothing = { .kind = CLOSED };

/* What everybody knows of the descriptors that all processes have. */
static struct known device_known[2], bell_known[2], pool_known[12];

static void fill_shared_known(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		device_known[i] = (struct known) { DEVICE, i, 1 + i, 0, 0 };
		bell_known[i] = (struct known) { EVENT, i, 3 + i, true, i };
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pool_known); i++)
		pool_known[i] = (struct known) {
			SEM + i % 3, i / 6, 5 + i, false, 0,
		};
}

/* Errors */

[[gnu::format(printf, 2, 3)]]
static void wrong(const struct fuzzer *f, const char *format, ...)
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

static const char *kind_name(const struct target *target)
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

/* Picking */

static int own_fd(const struct fuzzer *f, unsigned int slot)
{
	return FD_OWN + f->thread * SLOTS + slot;
}

static struct target own_target(const struct fuzzer *f, unsigned int slot)
{
	return (struct target) { own_fd(f, slot), &f->own[slot] };
}

static int pick_race_fd(struct fuzzer *f)
{
	return FD_RACE + below(&f->random, FD_RACE_END - FD_RACE);
}

static struct target pick_closed(struct fuzzer *f)
{
	static const int closed[] = { -1, INT32_MIN, INT32_MAX, 99999, FD_END };

	return (struct target) { one_of(&f->random, closed), &nothing };
}

static struct target pick_any_target(struct fuzzer *f)
{
	uint32_t i, way = below(&f->random, 32);

	switch (way) {
	case 0:
		return pick_closed(f);
	case 1 ... 5:
		return (struct target) { pick_race_fd(f), NULL };
	case 6 ... 9:
		i = below(&f->random, FD_POOL_END - FD_POOL);
		return (struct target) { FD_POOL + i, &pool_known[i] };
	case 10:
		i = below(&f->random, 2);
		return (struct target) { FD_DEVICE + i, &device_known[i] };
	case 11:
		i = below(&f->random, 2);
		return (struct target) { FD_BELL + i, &bell_known[i] };
	default:
		return own_target(f, below(&f->random, SLOTS));
	}
}

/* One of the wanted kind, or, if a few tries do not find one, any. */
static struct target pick_target(struct fuzzer *f, enum kind kind)
{
	struct target target;

	if (kind == DEVICE && one_in(&f->random, 2)) {
		unsigned int i = below(&f->random, 2);

		return (struct target) { FD_DEVICE + i, &device_known[i] };
	}
	for (int tries = 0; tries < 12; tries++) {
		target = pick_any_target(f);
		if (target.known ? target.known->kind == kind
				 : one_in(&f->random, 16))
			break;
	}
	return target;
}

static struct target pick_object(struct fuzzer *f, unsigned int instance)
{
	struct target target;

	for (int tries = 0; tries < 12; tries++) {
		target = pick_any_target(f);
		if (target.known && target.known->kind >= SEM &&
		    target.known->instance == instance)
			break;
	}
	return target;
}

static uint32_t pick_word(struct fuzzer *f)
{
	static const uint32_t words[] = {
		0, 0, 1, 1, 1, 2, 2, 3, INT32_MAX, 0x80000000, UINT32_MAX - 1,
		UINT32_MAX,
	};

	return one_in(&f->random, 16) ? draw(&f->random)
				      : one_of(&f->random, words);
}

/* Few, so that they meet. */
static uint32_t pick_owner(struct fuzzer *f)
{
	static const uint32_t owners[] = { 1, 1, 1, 2, 2, 3, UINT32_MAX };

	return one_in(&f->random, 24) ? 0 : one_of(&f->random, owners);
}

/* Filling arguments */

static void fill_words(struct fuzzer *f, struct attempt *a)
{
	a->words[0] = pick_word(f);
	a->words[1] = pick_word(f);
	switch (a->operation) {
	case CREATE_SEM:
		if (a->words[1] && !one_in(&f->random, 8))
			a->words[0] %= a->words[1];
		break;
	case CREATE_MUTEX:
		a->words[0] = pick_owner(f);
		if (!a->words[0] != !a->words[1] && !one_in(&f->random, 8))
			a->words[1] = a->words[0];
		break;
	case MUTEX_UNLOCK:
	case MUTEX_KILL:
		a->words[0] = pick_owner(f);
		break;
	default:
		break;
	}
}

/* The bell rings for whoever waits without end. */
static void add_bell(struct fuzzer *f, struct attempt *a, unsigned int instance)
{
	struct target bell = {
		FD_BELL + instance % 2, &bell_known[instance % 2],
	};

	if (a->operation == WAIT_FOR_ANY && a->wait.count &&
	    a->wait.count <= NTSYNC_MAX_WAIT_COUNT && one_in(&f->random, 2)) {
		a->objs[below(&f->random, a->wait.count)] = bell;
		return;
	}
	a->alert = bell;
	a->wait.alert = bell.fd;
}

static void fill_timeout(struct fuzzer *f, struct attempt *a,
			 unsigned int instance)
{
	bool realtime = a->wait.flags & NTSYNC_WAIT_REALTIME;
	uint64_t now = clock_ns(realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC);

	a->past = false;
	switch (below(&f->random, 64)) {
	case 0:
		if (instance > 1)
			break;
		a->wait.timeout = one_in(&f->random, 2) ?
				  FOREVER : INT64_MAX + (uint64_t)1 +
					    draw(&f->random);
		add_bell(f, a, instance);
		return;
	case 1 ... 7:
		a->wait.timeout = now + below(&f->random, 1000000);
		return;
	case 8 ... 15:
		a->wait.timeout = now;
		a->past = true;
		return;
	default:
		break;
	}
	a->wait.timeout = one_in(&f->random, 2) ? 0 : draw(&f->random) % now;
	a->past = true;
}

static uint32_t pick_count(struct fuzzer *f)
{
	switch (below(&f->random, 32)) {
	case 0:
		return 0;
	case 1:
		return NTSYNC_MAX_WAIT_COUNT;
	case 2:
		return NTSYNC_MAX_WAIT_COUNT + 1;
	case 3:
		return pick_word(f);
	case 4 ... 5:
		return below(&f->random, NTSYNC_MAX_WAIT_COUNT);
	case 6 ... 18:
		return 1;
	default:
		return 1 + below(&f->random, 8);
	}
}

static void fill_array(struct fuzzer *f, struct attempt *a)
{
	uint32_t fds[MOST_OBJECTS], n = a->wait.count;

	if (n > MOST_OBJECTS)
		n = MOST_OBJECTS;
	for (uint32_t i = 0; i < n; i++)
		fds[i] = a->objs[i].fd;
	a->array = place_pick(&f->array, 4 * n, &f->random);
	place_write(&a->array, fds, 4 * n);
	a->wait.objs = a->array.address;
	/* Beyond what a 32-bit process can have. */
	if (sizeof(void *) < 8 && one_in(&f->random, 64)) {
		a->array.garbage = true;
		a->wait.objs |= (uint64_t)1 << 32;
	}
}

static void fill_wait(struct fuzzer *f, struct attempt *a)
{
	unsigned int instance = a->on.known ? a->on.known->instance : 0;

	a->wait = (struct ntsync_wait_args) {
		.count = pick_count(f),
		.index = draw(&f->random),
		.flags = one_in(&f->random, 8) ? NTSYNC_WAIT_REALTIME : 0,
		.owner = pick_owner(f),
	};
	for (uint32_t i = 0; i < a->wait.count && i < MOST_OBJECTS; i++)
		a->objs[i] = pick_object(f, instance);
	if (one_in(&f->random, 6)) {
		a->alert = pick_object(f, instance);
		a->wait.alert = a->alert.fd;
	}
	fill_timeout(f, a, instance);
	if (one_in(&f->random, 48))
		a->wait.flags ^= 1u << (1 + below(&f->random, 31));
	if (one_in(&f->random, 48))
		a->wait.pad = pick_word(f);
	fill_array(f, a);
	place_write(&a->arg, &a->wait, sizeof(a->wait));
}

/*
 * What a call may answer.  The checks come in the order of the interface: one
 * that must fail says the answer.
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

/* Could the object be waited for in this instance? */
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

/* What a call that succeeded may have returned */

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

/* Keeping what was created */

static void own_close(struct fuzzer *f, unsigned int slot)
{
	if (f->own[slot].kind != CLOSED)
		close(own_fd(f, slot));
	f->own[slot] = nothing;
}

/* Moves a new descriptor to a slot of our own, or to one of all threads. */
static void keep(struct fuzzer *f, int fd, const struct known *known)
{
	unsigned int slot = below(&f->random, SLOTS);
	int error = 0;

	if (fd >= FD_CONTROL)
		wrong(f, "a new descriptor has the number %d", fd);
	if (known && !one_in(&f->random, 4)) {
		own_close(f, slot);
		if (dup2(fd, own_fd(f, slot)) < 0)
			wrong(f, "dup2: errno %d", errno);
		else
			f->own[slot] = *known;
	} else if (dup2(fd, pick_race_fd(f)) < 0) {
		/* EBUSY: another thread is about to open this very number. */
		error = errno;
	}
	count(&f->shared->tally, DUP, error);
	close(fd);
}

static void keep_created(struct fuzzer *f, const struct attempt *a, int fd)
{
	struct known known = {
		.kind = SEM + a->operation - CREATE_SEM,
		.id = f->last_id++,
		.limit_known = a->operation != CREATE_MUTEX,
		.limit = a->words[1],
	};

	if (a->operation == CREATE_EVENT)
		known.limit = !!a->words[0];
	if (a->on.known)
		known.instance = a->on.known->instance;
	keep(f, fd, a->on.known ? &known : NULL);
}

/* Making the call */

static void do_ioctl(struct fuzzer *f, struct attempt *a, uint32_t size)
{
	unsigned int legal;
	int ret, error;

	kcov_begin(&f->kcov);
	ret = ioctl(a->on.fd, (unsigned long)a->number, a->arg.address);
	error = ret < 0 ? errno : 0;
	kcov_end(&f->kcov, &control->kcov);

	count(&f->shared->tally, a->operation, error);
	legal = legal_answers(f, a);
	if (!(legal & may_say(error)) || answer(error) == ANSWERS - 1)
		wrong_answer(f, a, error, legal);
	else if (a->operation < KNOWN && (!error || error == EOWNERDEAD))
		check_results(f, a, error);
	if (!place_intact(&a->arg, size) ||
	    (a->operation <= WAIT_FOR_ALL && a->operation >= WAIT_FOR_ANY &&
	     !place_intact(&a->array, 4 * MOST_OBJECTS)))
		wrong(f, "%s (errno %d) changed memory that is not its own",
		      operation_name[a->operation], error);
	if (ret >= 0 && a->operation <= CREATE_EVENT)
		keep_created(f, a, ret);
}

static void known_ioctl(struct fuzzer *f)
{
	struct attempt a = { .operation = below(&f->random, KNOWN) };
	uint32_t size;

	if (one_in(&f->random, 3))
		a.operation = WAIT_FOR_ANY + below(&f->random, 2);
	size = ioctls[a.operation].size;
	a.number = ioctls[a.operation].number;
	a.on = one_in(&f->random, 12) ? pick_any_target(f)
				      : pick_target(f, ioctls[a.operation].on);
	a.arg = place_pick(&f->arg, size, &f->random);
	if (a.operation == WAIT_FOR_ANY || a.operation == WAIT_FOR_ALL) {
		fill_wait(f, &a);
	} else {
		fill_words(f, &a);
		place_write(&a.arg, a.words, size);
	}
	do_ioctl(f, &a, size);
}

static bool is_known_number(unsigned int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++)
		if (ioctls[i].number == number)
			return true;
	return false;
}

static unsigned int pick_near_number(struct fuzzer *f)
{
	unsigned int number = ioctls[below(&f->random, KNOWN)].number;

	switch (below(&f->random, 3)) {
	case 0:
		return number ^ 1u << below(&f->random, 32);
	case 1:
		return (number & ~0xffu) | (0x80 + below(&f->random, 16));
	default:
		return _IOC(below(&f->random, 4), 'N', below(&f->random, 256),
			    4 * below(&f->random, 16));
	}
}

/* Numbers that the driver does not know, and a few that all files do. */
static void unknown_ioctl(struct fuzzer *f)
{
	static const unsigned int generic[] = {
		FIOCLEX, FIONCLEX, FIONBIO, FIOASYNC,
	};
	struct attempt a = { .operation = NEAR + below(&f->random, 3) };

	do {
		a.number = a.operation == NEAR ? pick_near_number(f) :
			   a.operation == RANDOM ? draw(&f->random) :
						   one_of(&f->random, generic);
	} while (is_known_number(a.number));
	do {
		a.on = pick_any_target(f);
	} while (a.operation == GENERIC && a.on.fd >= 0 && a.on.fd < FD_RACE);
	a.arg = place_pick(&f->arg, 40, &f->random);
	do_ioctl(f, &a, 40);
}

/* Other calls on descriptors */

static bool may_be_closed(const struct target *target)
{
	return !target->known || target->known->kind == CLOSED;
}

static void check_poll(const struct fuzzer *f, const struct target *target,
		       short seen)
{
	const struct known *known = target->known;

	if (!known || target->fd < 0)
		return;
	if (known->kind == CLOSED ? seen != POLLNVAL : seen & POLLNVAL)
		wrong(f, "poll of %s: 0x%x", kind_name(target), seen);
	if (known->kind >= SEM && control->pollable && seen &&
	    seen != (POLLIN | POLLRDNORM))
		wrong(f, "poll of %s: 0x%x", kind_name(target), seen);
}

static void do_poll(struct fuzzer *f)
{
	struct target targets[8];
	struct pollfd fds[8];
	uint32_t n = 1 + below(&f->random, 8);
	int ret;

	for (uint32_t i = 0; i < n; i++) {
		targets[i] = pick_any_target(f);
		fds[i] = (struct pollfd) {
			.fd = targets[i].fd,
			.events = POLLIN | POLLRDNORM | POLLOUT | POLLPRI,
		};
	}
	ret = poll(fds, n, one_in(&f->random, 16));
	count(&f->shared->tally, POLL, ret < 0 ? errno : 0);
	if (ret < 0 && errno != EINTR && errno != ENOMEM &&
	    !(errno == EINVAL && f->no_descriptors))
		wrong(f, "poll: errno %d", errno);
	for (uint32_t i = 0; ret > 0 && i < n; i++)
		check_poll(f, &targets[i], fds[i].revents);
}

static void do_select(struct fuzzer *f)
{
	struct timeval timeout = { .tv_usec = one_in(&f->random, 16) };
	bool may_fail = false;
	fd_set in, out;
	int ret, error;

	FD_ZERO(&in);
	for (int i = 0; i < 4; i++) {
		struct target target = pick_any_target(f);

		if (target.fd < 0 || target.fd >= FD_SETSIZE)
			continue;
		FD_SET(target.fd, &in);
		may_fail |= may_be_closed(&target);
	}
	out = in;
	ret = select(FD_SETSIZE, &in, one_in(&f->random, 2) ? &out : NULL, NULL,
		     &timeout);
	error = ret < 0 ? errno : 0;
	count(&f->shared->tally, SELECT, error);
	if (error && error != EINTR && !(error == EBADF && may_fail))
		wrong(f, "select: errno %d", error);
}

static void do_epoll(struct fuzzer *f)
{
	static const int how[] = { EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL };
	static const unsigned int flags[] = {
		0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE,
	};
	struct target target = pick_any_target(f);
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | one_of(&f->random, flags),
	};
	struct epoll_event seen[8];
	int ret;

	if (one_in(&f->random, 3)) {
		ret = epoll_wait(FD_EPOLL, seen, ARRAY_SIZE(seen),
				 one_in(&f->random, 16));
		count(&f->shared->tally, EPOLL_WAIT, ret < 0 ? errno : 0);
		return;
	}
	ret = epoll_ctl(FD_EPOLL, one_of(&f->random, how), target.fd, &event);
	count(&f->shared->tally, EPOLL_CTL, ret < 0 ? errno : 0);
}

/* Of our own descriptors, and of those of other workers. */
static void do_fdinfo(struct fuzzer *f)
{
	int fd = pick_any_target(f).fd, pid = getpid();
	char path[64], text[4096];
	ssize_t len = -1;

	if (one_in(&f->random, 2))
		pid = control->workers[below(&f->random, MAX_WORKERS)].pid;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		len = read(fd, text, sizeof(text));
	count(&f->shared->tally, FDINFO, len < 0 ? errno : 0);
	if (fd >= 0)
		close(fd);
}

/* Descriptors that come and go */

static int open_other_file(struct fuzzer *f)
{
	int fds[2];

	switch (below(&f->random, 5)) {
	case 0:
		if (pipe2(fds, O_CLOEXEC))
			return -1;
		close(fds[0]);
		return fds[1];
	case 1:
		return epoll_create1(EPOLL_CLOEXEC);
	case 2:
		return memfd_create("other", MFD_CLOEXEC);
	case 3:
		return open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	default:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	}
}

static void do_open(struct fuzzer *f)
{
	static const int modes[] = { O_RDONLY, O_RDWR, O_WRONLY };
	struct known known = { .id = f->last_id++ };
	int fd;

	if (f->no_descriptors)
		return;
	if (one_in(&f->random, 2)) {
		known.kind = DEVICE;
		known.instance = f->last_instance++;
		fd = open("/dev/ntsync", one_of(&f->random, modes) | O_CLOEXEC);
	} else {
		known.kind = OTHER_FILE;
		fd = open_other_file(f);
	}
	count(&f->shared->tally, OPEN, fd < 0 ? errno : 0);
	if (fd >= 0)
		keep(f, fd, &known);
	else if (errno != ENOMEM)
		wrong(f, "open: errno %d", errno);
}

/* Another descriptor of the same file, here or where threads race. */
static void do_dup(struct fuzzer *f)
{
	struct target from = pick_any_target(f);
	unsigned int slot = below(&f->random, SLOTS);
	int to, error;

	if (from.fd == own_fd(f, slot))
		return;
	if (!from.known || one_in(&f->random, 2)) {
		to = pick_race_fd(f);
		slot = SLOTS;
	} else {
		to = own_fd(f, slot);
	}
	error = dup3(from.fd, to, O_CLOEXEC) < 0 ? errno : 0;
	count(&f->shared->tally, DUP, error);
	if (slot < SLOTS && !error)
		f->own[slot] = *from.known;
}

static void do_close(struct fuzzer *f)
{
	int fd = pick_race_fd(f);

	if (one_in(&f->random, 2)) {
		own_close(f, below(&f->random, SLOTS));
		return;
	}
	count(&f->shared->tally, CLOSE, close(fd) ? errno : 0);
}

/* Lives of processes */

static void fuzz(struct fuzzer *f, unsigned int steps);

static void start_memory(struct fuzzer *f)
{
	arena_create(&f->arg, &f->random);
	arena_create(&f->array, &f->random);
}

/* A few calls by a child, perhaps one that may have no more descriptors. */
static void be_a_child(struct fuzzer *f)
{
	struct rlimit none = { .rlim_cur = 3, .rlim_max = 3 };

	arena_destroy(&f->arg);
	arena_destroy(&f->array);
	f->kcov.area = NULL;
	f->child = true;
	f->no_descriptors = one_in(&f->random, 3);
	start_memory(f);
	if (f->no_descriptors)
		setrlimit(RLIMIT_NOFILE, &none);
	fuzz(f, 20);
	_exit(0);
}

/* A child that kills or stops its parent, wherever that is by then. */
static void be_an_enemy(struct fuzzer *f, pid_t parent, enum operation how)
{
	pause_ns(below(&f->random, 2000000));
	if (getppid() != parent) {
		/* It has been killed, and its number may be another's. */
	} else if (how == KILL) {
		control->workers[f->worker].doomed = 1;
		kill(parent, SIGKILL);
	} else {
		kill(parent, SIGSTOP);
		pause_ns(below(&f->random, 2000000));
		kill(parent, SIGCONT);
	}
	_exit(0);
}

static void do_fork(struct fuzzer *f, enum operation why)
{
	pid_t parent = getpid(), pid = fork();

	count(&f->shared->tally, why, pid < 0 ? errno : 0);
	/* The parent's next decisions are not the child's. */
	f->random = seed_of(f->random, !pid, 0, 0);
	if (pid)
		return;
	if (why == FORK)
		be_a_child(f);
	else
		be_an_enemy(f, parent, why);
}

static void mask_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

static void do_exec(struct fuzzer *f)
{
	/* One that comes on the way waits until there is a handler again. */
	mask_signal(SIG_BLOCK);
	count(&f->shared->tally, EXEC, 0);
	kcov_stop(&f->kcov);
	execv("/proc/self/exe", program_args);
	wrong(f, "exec: errno %d", errno);
}

/* Interrupts a thread of this process, itself perhaps. */
static void do_signal(struct fuzzer *f)
{
	static atomic_int tids[THREADS];
	int tid;

	tids[f->thread] = f->child ? 0 : thread_id();
	tid = tids[below(&f->random, THREADS)];
	if (!f->child && tid)
		count(&f->shared->tally, SIGNAL,
		      syscall(SYS_tgkill, getpid(), tid, SIGUSR1) ? errno : 0);
}

/* Rare and costly ones, which a forked child leaves alone. */
static void live(struct fuzzer *f)
{
	if (f->child)
		return;
	switch (below(&f->random, 32)) {
	case 0 ... 1:
		do_fork(f, KILL);
		break;
	case 2:
		do_exec(f);
		break;
	case 3 ... 9:
		do_fork(f, STOP);
		break;
	default:
		do_fork(f, FORK);
		break;
	}
}

static void step(struct fuzzer *f)
{
	switch (below(&f->random, 128)) {
	case 0 ... 7:
		unknown_ioctl(f);
		break;
	case 8:
		do_poll(f);
		break;
	case 9:
		if (one_in(&f->random, 8))
			do_select(f);
		else
			do_epoll(f);
		break;
	case 10:
		if (one_in(&f->random, 8))
			do_fdinfo(f);
		else
			do_signal(f);
		break;
	case 11 ... 13:
		do_dup(f);
		break;
	case 14 ... 15:
		do_close(f);
		break;
	case 16 ... 17:
		do_open(f);
		break;
	case 18:
		if (one_in(&f->random, 32))
			live(f);
		break;
	default:
		known_ioctl(f);
		break;
	}
	atomic_fetch_add_explicit(&f->shared->moves, 1, memory_order_relaxed);
}

static void fuzz(struct fuzzer *f, unsigned int steps)
{
	for (unsigned int i = 0; i < steps && !control->stop; i++) {
		step(f);
		if (i % 4096 == 4095 &&
		    !(arena_intact(&f->arg) && arena_intact(&f->array)))
			wrong(f, "memory far from any argument has changed");
	}
}

/* A worker */

static void *thread_main(void *data)
{
	struct fuzzer *f = data;

	start_memory(f);
	/* It slows a thread down. */
	if (!f->thread && f->worker < 2)
		kcov_start(&f->kcov);
	while (!control->stop)
		fuzz(f, UINT32_MAX);
	return NULL;
}

static void nothing_happens(int signal)
{
	(void)signal;
}

static void *map_control(void)
{
	void *map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
			 MAP_SHARED, FD_CONTROL, 0);

	if (map == MAP_FAILED)
		exit(3);
	return map;
}

static int worker_main(unsigned int number)
{
	static struct fuzzer fuzzers[THREADS];
	struct sigaction action = { .sa_handler = nothing_happens };
	struct worker *worker;
	pthread_t threads[THREADS];
	unsigned int generation;
	uint64_t seed;

	control = map_control();
	worker = &control->workers[number];
	generation = worker->generation++;
	seed = (uint64_t)control->seed[1] << 32 | control->seed[0];
	close_range(FD_RACE, ~0U, 0);
	close_range(STDERR_FILENO + 1, FD_CONTROL - 1, 0);
	if (dup2(epoll_create1(EPOLL_CLOEXEC), FD_EPOLL) < 0)
		return 3;
	fill_shared_known();
	signal(SIGCHLD, SIG_IGN);
	action.sa_flags = generation % 2 ? SA_RESTART : 0;
	sigaction(SIGUSR1, &action, NULL);
	mask_signal(SIG_UNBLOCK);
	for (unsigned int i = 0; i < THREADS; i++) {
		fuzzers[i] = (struct fuzzer) {
			.worker = number,
			.generation = generation,
			.thread = i,
			.shared = &worker->threads[i],
			.random = seed_of(seed, number, generation, i),
			.last_id = 100,
			.last_instance = 2,
		};
		if (pthread_create(&threads[i], NULL, thread_main, &fuzzers[i]))
			return 3;
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

/* The first process */

struct boss {
	unsigned long long calls;
	unsigned long long seconds;
	unsigned long long seed;
	unsigned int workers;
	char **programs;
	unsigned int n_programs;
	uint64_t begin;
	uint64_t random;
	unsigned int ticks;
	unsigned int deaths;
	unsigned int alive;
	bool stuck;
	struct {
		unsigned int moves;
		uint64_t since;
	} seen[MAX_WORKERS][THREADS];
};

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void must(bool done, const char *what)
{
	if (done)
		return;
	tell("fuzz: cannot %s: %s\n", what, strerror(errno));
	exit(2);
}

static void give_number(int fd, int number)
{
	must(fd >= 0, "create what all processes share");
	must(dup2(fd, number) == number, "give a descriptor its number");
	close(fd);
}

/* What workers inherit. */
static void create_shared(void)
{
	int fd = memfd_create("control", 0), dev[2];
	struct pollfd unset = { .events = POLLIN };

	must(fd >= 0 && !ftruncate(fd, sizeof(*control)), "share memory");
	give_number(fd, FD_CONTROL);
	control = map_control();
	fill_shared_known();
	for (int i = 0; i < 2; i++) {
		dev[i] = FD_DEVICE + i;
		fd = open("/dev/ntsync", O_RDONLY);
		must(fd >= 0, "open /dev/ntsync (is the module loaded?)");
		give_number(fd, dev[i]);
		give_number(event_create(dev[i], i, 0), FD_BELL + i);
	}
	for (int i = 0; i < FD_POOL_END - FD_POOL; i++) {
		int in = dev[i / 6];

		give_number(i % 3 == 0 ? sem_create(in, i & 1, 2 + i) :
			    i % 3 == 1 ? mutex_create(in, 0, 0) :
					 event_create(in, i & 1, 0),
			    FD_POOL + i);
	}
	unset.fd = FD_BELL;
	control->pollable = poll(&unset, 1, 0) == 0;
	kcov_find_module(&control->kcov);
}

static void start_worker(struct boss *boss, unsigned int number)
{
	char *program = boss->programs[number % boss->n_programs];
	char text[16];
	char *const args[] = { "fuzz", "--worker", text, NULL };
	pid_t pid;

	snprintf(text, sizeof(text), "%u", number);
	control->workers[number].doomed = 0;
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		execv(program, args);
		tell("fuzz: cannot run %s: %s\n", program, strerror(errno));
		_exit(3);
	}
	control->workers[number].pid = pid;
	boss->alive++;
}

/* Workers end because they are killed or told to stop, and not otherwise. */
static void worker_ended(struct boss *boss, unsigned int number, int status)
{
	struct worker *worker = &control->workers[number];

	boss->alive--;
	worker->pid = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
	    worker->doomed) {
		boss->deaths++;
		if (!control->stop)
			start_worker(boss, number);
	} else if (status || !control->stop) {
		tell("fuzz: WRONG: worker %u ended with status 0x%x\n", number,
		     status);
		control->wrong++;
		control->stop = 1;
	}
}

static void reap(struct boss *boss)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned int i = 0; i < boss->workers; i++)
			if (control->workers[i].pid == pid)
				worker_ended(boss, i, status);
}

static uint64_t sum_calls(const struct boss *boss, struct totals *totals)
{
	uint64_t sum = 0;

	memset(totals, 0, sizeof(*totals));
	for (unsigned int i = 0; i < boss->workers; i++)
		for (unsigned int j = 0; j < THREADS; j++)
			add_up(totals, &control->workers[i].threads[j].tally);
	add_up(totals, &control->boss);
	for (unsigned int i = 0; i < IOCTLS; i++)
		sum += sum_operation(totals, i);
	return sum;
}

/* Ends waits that have no end of their own. */
static void ring_bells(void)
{
	uint32_t value;

	for (int i = 0; i < 2; i++) {
		event_set(FD_BELL + i, &value);
		event_pulse(FD_BELL + i, &value);
	}
}

/* The module is in use: whoever asks, it has to stay. */
static void try_unload(void)
{
	int ret = syscall(SYS_delete_module, "ntsync", O_NONBLOCK);
	int error = ret ? errno : 0;

	count(&control->boss, UNLOAD, error);
	if (error != EAGAIN && error != EBUSY && error != EPERM &&
	    error != ENOENT) {
		tell("fuzz: WRONG: rmmod of the module in use: errno %d\n",
		     error);
		control->wrong++;
		control->stop = 1;
	}
}

static void show_thread(unsigned int number, int pid, const char *tid)
{
	static const char *const files[] = { "syscall", "stack", "wchan" };
	char path[300], text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		ssize_t len = -1;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/%s", pid, tid,
			 files[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			len = read(fd, text, sizeof(text) - 1);
			close(fd);
		}
		text[len > 0 ? len : 0] = '\0';
		tell("fuzz: worker %u, thread %s: %s: %s\n", number, tid,
		     files[i], text);
	}
}

static void show_worker(unsigned int number)
{
	int pid = control->workers[number].pid;
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			show_thread(number, pid, entry->d_name);
	if (dir)
		closedir(dir);
}

static void check_moves(struct boss *boss, unsigned int i, unsigned int j)
{
	unsigned int moves = control->workers[i].threads[j].moves;

	if (moves != boss->seen[i][j].moves || !boss->seen[i][j].since) {
		boss->seen[i][j].moves = moves;
		boss->seen[i][j].since = now_ns();
	} else if (control->workers[i].pid && !boss->stuck &&
		   now_ns() - boss->seen[i][j].since >
			   STUCK_SECONDS * NSEC_PER_SEC) {
		tell("fuzz: WRONG: worker %u, thread %u has not moved for %d s\n",
		     i, j, STUCK_SECONDS);
		show_worker(i);
		boss->stuck = true;
		control->wrong++;
		control->stop = 1;
	}
}

static void watch(struct boss *boss)
{
	struct totals totals;
	uint64_t calls;

	for (unsigned int i = 0; i < boss->workers; i++)
		for (unsigned int j = 0; j < THREADS; j++)
			check_moves(boss, i, j);
	calls = sum_calls(boss, &totals);
	if (boss->calls && calls >= boss->calls)
		control->stop = 1;
	if (boss->ticks % (PROGRESS_SECONDS * 100) == 0)
		tell("fuzz: %llu s, %llu calls, %u workers killed\n",
		     (unsigned long long)(now_ns() - boss->begin) / NSEC_PER_SEC,
		     (unsigned long long)calls, boss->deaths);
}

/* Whether there is still somebody to look after. */
static bool tick(struct boss *boss)
{
	boss->ticks++;
	reap(boss);
	ring_bells();
	if (boss->ticks % 16 == 0)
		try_unload();
	if (boss->ticks % 100 == 0)
		watch(boss);
	if (boss->seconds && now_ns() - boss->begin >
			     boss->seconds * NSEC_PER_SEC)
		control->stop = 1;
	return boss->alive;
}

static void report(const struct boss *boss)
{
	double seconds = (now_ns() - boss->begin) / 1e9;
	struct totals totals;
	uint64_t calls = sum_calls(boss, &totals);

	print_totals(&totals, "fuzz", operation_name, OPERATIONS);
	printf("# %llu ioctls in %.0f s, %.0f a second; %u workers killed\n",
	       (unsigned long long)calls, seconds, calls / seconds,
	       boss->deaths);
	if (control->kcov.size && kcov_places(&control->kcov))
		printf("# kcov: %u places of the module were come by\n",
		       kcov_places(&control->kcov));
	if (control->wrong)
		printf("# to repeat: SEED=%llu\n", boss->seed);
	printf("1..2\n");
	printf("%sok 1 every call answered as it may, and changed no more than it may\n",
	       control->wrong > boss->stuck ? "not " : "");
	printf("%sok 2 nobody stood still\n", boss->stuck ? "not " : "");
}

static void explain(void)
{
	tell("usage: fuzz [--calls N] [--seconds N] [--seed N] [--workers N] [PROGRAM...]\n"
	     "Runs workers until there were N calls or N seconds have passed.  PROGRAMs are\n"
	     "other builds of this one, which take turns with it as workers.\n");
	exit(2);
}

static void read_options(struct boss *boss, int argc, char **argv)
{
	int i;

	for (i = 1; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		unsigned long long value = number("fuzz", argv[i], argv[i + 1]);

		if (!strcmp(argv[i], "--calls"))
			boss->calls = value;
		else if (!strcmp(argv[i], "--seconds"))
			boss->seconds = value;
		else if (!strcmp(argv[i], "--seed"))
			boss->seed = value;
		else if (!strcmp(argv[i], "--workers") && value <= MAX_WORKERS)
			boss->workers = value;
		else
			explain();
	}
	if ((i < argc && argv[i][0] == '-') || !(boss->calls || boss->seconds))
		explain();
	/* This program itself stands in for its name. */
	argv[i - 1] = "/proc/self/exe";
	boss->programs = &argv[i - 1];
	boss->n_programs = argc - i + 1;
}

int main(int argc, char **argv)
{
	struct boss boss = {
		.seed = now_ns() ^ getpid(),
		.workers = 4,
		.begin = now_ns(),
	};

	program_args = argv;
	if (argc == 3 && !strcmp(argv[1], "--worker"))
		return worker_main(atoi(argv[2]));
	read_options(&boss, argc, argv);
	tell("fuzz: seed %llu\n", boss.seed);
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	create_shared();
	control->seed[0] = boss.seed;
	control->seed[1] = boss.seed >> 32;
	for (unsigned int i = 0; i < boss.workers; i++)
		start_worker(&boss, i);
	while (tick(&boss))
		pause_ns(10000000);
	report(&boss);
	return control->wrong != 0;
}
