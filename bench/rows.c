// SPDX-License-Identifier: GPL-2.0
/* Single operations, for all programs that measure them. */
#define _GNU_SOURCE
#include "rows.h"

/* What the operations work on. */
static int dev, obj, objs[NTSYNC_MAX_WAIT_COUNT];
static unsigned long request;
static struct ntsync_wait_args args;
static int expected;

static void null_device(void)
{
	ioctl(dev, _IO('N', 0), &args);
}

static void null_object(void)
{
	ioctl(obj, _IO('N', 0), &args);
}

static void call_wait(void)
{
	must(ntsync_call(dev, request, &args) == expected);
}

static void call_wait_now(void)
{
	args.timeout = clock_ns(CLOCK_MONOTONIC);
	call_wait();
}

static void take_release(void)
{
	__u32 count = 1;

	call_wait();
	must(!sem_release(obj, &count));
}

static void lock_unlock(void)
{
	call_wait();
	must(!mutex_unlock(obj, 1, NULL));
}

static void set_reset(void)
{
	__u32 prev;

	must(!event_set(obj, &prev));
	must(!event_reset(obj, &prev));
}

static void pulse(void)
{
	__u32 prev;

	must(!event_pulse(obj, &prev));
}

static void create_close(void)
{
	must(!close(event_create(dev, 0, 0)));
}

static void read_event(void)
{
	struct ntsync_event_args state;

	must(!event_read(obj, &state));
}

static void read_mutex(void)
{
	struct ntsync_mutex_args state;

	must(!mutex_read(obj, &state));
}

static void read_sem(void)
{
	struct ntsync_sem_args state;

	must(!sem_read(obj, &state));
}

static void kill_other(void)
{
	must(mutex_kill(obj, 3) == -EPERM);
}

#define ON_DEVICE(title, at_most)					\
	.result = { .name = title, .dev = 1, .limit = at_most }
#define ON_OBJECT(title, times, at_most)					\
	.result = { .name = title, .obj = times, .limit = at_most }
#define ON_BOTH(title, at_most)						\
	.result = { .name = title, .dev = 1, .obj = 1, .limit = at_most }
#define WAIT(kind, of, which)						\
	.op = call_wait, .request = NTSYNC_IOC_WAIT_ ## kind,		\
	.count = of, .signaled = which, .timeout = FOREVER
#define POLL(kind, of, which)						\
	.op = call_wait, .request = NTSYNC_IOC_WAIT_ ## kind,		\
	.count = of, .signaled = which
#define PAIR(function, of)						\
	.op = function, .request = NTSYNC_IOC_WAIT_ANY, .type = of,	\
	.count = 1, .signaled = LAST, .timeout = FOREVER

const struct row single_rows[] = {
	{ ON_DEVICE("null ioctl, device", 0), .op = null_device },
	{ ON_OBJECT("null ioctl, object", 1, 0), .op = null_object },
	{ ON_DEVICE("any of 1, signaled", 0.22), WAIT(ANY, 1, LAST) },
	{ ON_DEVICE("any of 1, signaled, timeout past", 0.22),
	  .op = call_wait, .request = NTSYNC_IOC_WAIT_ANY, .count = 1,
	  .signaled = LAST, .timeout = 1 },
	{ ON_DEVICE("any of 1, signaled, with an alert", 0.33),
	  WAIT(ANY, 1, LAST), .alert = true },
	{ ON_DEVICE("poll any of 1, timeout 0", 0.20), POLL(ANY, 1, NONE) },
	{ ON_DEVICE("poll any of 1, timeout now", 0.20),
	  .op = call_wait_now, .request = NTSYNC_IOC_WAIT_ANY, .count = 1 },
	{ ON_DEVICE("poll any of 8, timeout 0", 0.36), POLL(ANY, 8, NONE) },
	{ ON_DEVICE("any of 8, last signaled", 0.31), WAIT(ANY, 8, LAST) },
	{ ON_DEVICE("any of 64, last signaled", 0.30), WAIT(ANY, 64, LAST) },
	{ ON_DEVICE("poll any of 64, none signaled", 0.35),
	  POLL(ANY, 64, NONE) },
	{ ON_DEVICE("all of 2, signaled", 0.50), WAIT(ALL, 2, ALL) },
	{ ON_DEVICE("all of 8, signaled", 0.50), WAIT(ALL, 8, ALL) },
	{ ON_DEVICE("all of 64, signaled", 0.35), WAIT(ALL, 64, ALL) },
	{ ON_DEVICE("poll all of 64, one unsignaled", 0.28),
	  POLL(ALL, 64, ALL_BUT_LAST) },
	{ ON_BOTH("semaphore wait + release", 0.28), PAIR(take_release, SEM) },
	{ ON_BOTH("mutex lock + unlock", 0.28), PAIR(lock_unlock, MUTEX) },
	{ ON_OBJECT("event set + reset", 2, 1), .op = set_reset },
	{ ON_OBJECT("event pulse", 1, 1), .op = pulse },
	{ ON_DEVICE("event create + close", 1), .op = create_close },
	{ ON_OBJECT("event read", 1, 1.05), .op = read_event },
	{ ON_OBJECT("mutex read", 1, 1.05), .op = read_mutex, .type = MUTEX },
	{ ON_OBJECT("semaphore read", 1, 1.05), .op = read_sem, .type = SEM },
	{ ON_OBJECT("mutex kill by another", 1, 1.05), .op = kill_other,
	  .type = MUTEX },
};

const size_t nr_single_rows = ARRAY_SIZE(single_rows);

static int create(enum type type, bool signaled)
{
	switch (type) {
	case SEM:
		return sem_create(dev, signaled, 2);
	case MUTEX:
		return mutex_create(dev, signaled ? 0 : 2, !signaled);
	default:
		return event_create(dev, 1, signaled);
	}
}

static bool is_signaled(const struct row *row, int i)
{
	switch (row->signaled) {
	case LAST:
		return i == row->count - 1;
	case ALL_BUT_LAST:
		return i < row->count - 1;
	default:
		return row->signaled == ALL;
	}
}

void prepare_row(const struct row *row)
{
	dev = ntsync_open();
	must(dev >= 0);
	for (int i = 0; i < row->count; i++) {
		objs[i] = create(row->type, is_signaled(row, i));
		must(objs[i] >= 0);
	}
	obj = row->count ? objs[0] : create(row->type, false);
	must(obj >= 0);
	request = row->request;
	args = (struct ntsync_wait_args) {
		.timeout = row->timeout,
		.objs = (uintptr_t)objs,
		.count = row->count,
		.owner = 1,
		.alert = row->alert ? create(EVENT, false) : 0,
	};
	expected = row->signaled == LAST || row->signaled == ALL ?
		   0 : -ETIMEDOUT;
}
