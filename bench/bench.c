// SPDX-License-Identifier: GPL-2.0
/* Counts what the operations of the loaded ntsync.ko cost. */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include "bench.h"

#define WARM_UP	1000
#define BATCHES	50
#define BATCH	20

static uint64_t batch(operation op)
{
	uint64_t start = __rdtsc();

	for (int i = 0; i < BATCH; i++)
		op();
	return __rdtsc() - start;
}

static void nothing(void)
{
}

double count_instructions(operation op)
{
	uint64_t least = UINT64_MAX, now;

	for (int i = 0; i < WARM_UP; i++)
		op();
	for (int i = 0; i < BATCHES; i++) {
		now = batch(op);
		if (now < least)
			least = now;
	}
	return (double)least / BATCH;
}

static int dev, obj, other, objs[NTSYNC_MAX_WAIT_COUNT];
static int expected;
static struct ntsync_wait_args args;
static unsigned long request;

static void null_dev(void) { ioctl(dev, _IO('N', 0), &args); }
static void null_obj(void) { ioctl(obj, _IO('N', 0), &args); }

static void do_wait(void)
{
	must(ntsync_call(dev, request, &args) == expected);
}

static void wait_now(void)
{
	args.timeout = clock_ns(CLOCK_MONOTONIC);
	must(ntsync_call(dev, request, &args) == expected);
}

static void sem_pair(void)
{
	__u32 one = 1;

	do_wait();
	must(!sem_release(obj, &one));
}

static void mutex_pair(void)
{
	do_wait();
	must(!mutex_unlock(obj, 1, NULL));
}

static void event_pair(void)
{
	__u32 prev;

	must(!event_set(obj, &prev));
	must(!event_reset(obj, &prev));
}

static void create_close(void)
{
	int fd = event_create(dev, 0, 0);

	must(fd >= 0);
	close(fd);
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

static void kill_mutex(void)
{
	must(mutex_kill(obj, 77) == -EPERM);
}

enum signaled { NONE, LAST, ALL, ALL_BUT_LAST };

static struct row {
	const char *name;
	operation op;
	char type;
	bool all;
	int count;
	enum signaled signaled;
	uint64_t timeout;
	bool alert;
	int dev, obj;
	double limit;
} rows[] = {
	{ "null ioctl, device", null_dev, 'e', .dev = 1 },
	{ "null ioctl, object", null_obj, 'e', .obj = 1 },
#define ANY(count, signaled, timeout) do_wait, 'e', false, count, signaled, timeout
	{ "any of 1, signaled", ANY(1, LAST, FOREVER), .dev = 1, .limit = .22 },
	{ "any of 1, signaled, timeout past", ANY(1, LAST, 1), .dev = 1, .limit = .22 },
	{ "any of 1, signaled, with an alert", ANY(1, LAST, FOREVER), .alert = true, .dev = 1, .limit = .33 },
	{ "poll any of 1, timeout 0", ANY(1, NONE, 0), .dev = 1, .limit = .20 },
	{ "poll any of 1, timeout now", wait_now, 'e', false, 1, NONE, 0, .dev = 1, .limit = .20 },
	{ "poll any of 8, timeout 0", ANY(8, NONE, 0), .dev = 1, .limit = .36 },
	{ "any of 8, last signaled", ANY(8, LAST, FOREVER), .dev = 1, .limit = .31 },
	{ "any of 64, last signaled", ANY(64, LAST, FOREVER), .dev = 1, .limit = .30 },
	{ "poll any of 64, none signaled", ANY(64, NONE, 0), .dev = 1, .limit = .35 },
#define ALL_OF(count, signaled, timeout) do_wait, 'e', true, count, signaled, timeout
	{ "all of 2, signaled", ALL_OF(2, ALL, FOREVER), .dev = 1, .limit = .50 },
	{ "all of 8, signaled", ALL_OF(8, ALL, FOREVER), .dev = 1, .limit = .50 },
	{ "all of 64, signaled", ALL_OF(64, ALL, FOREVER), .dev = 1, .limit = .35 },
	{ "poll all of 64, one unsignaled", ALL_OF(64, ALL_BUT_LAST, 0), .dev = 1, .limit = .28 },
	{ "semaphore wait + release", sem_pair, 's', false, 1, LAST, FOREVER, .dev = 1, .obj = 1, .limit = .28 },
	{ "mutex lock + unlock", mutex_pair, 'm', false, 1, LAST, FOREVER, .dev = 1, .obj = 1, .limit = .28 },
	{ "event set + reset", event_pair, 'e', .obj = 2, .limit = 1 },
	{ "event create + close", create_close, 'e', .dev = 1, .limit = 1 },
	{ "event read", read_event, 'e', .obj = 1, .limit = 1.05 },
	{ "mutex read", read_mutex, 'm', .obj = 1, .limit = 1.05 },
	{ "semaphore read", read_sem, 's', .obj = 1, .limit = 1.05 },
	{ "mutex kill by another", kill_mutex, 'm', .obj = 1, .limit = 1.05 },
};

static int create(char type, bool signaled)
{
	switch (type) {
	case 's':	return sem_create(dev, signaled, 2);
	case 'm':	return mutex_create(dev, signaled ? 0 : 2, !signaled);
	default:	return event_create(dev, 1, signaled);
	}
}

static bool is_signaled(const struct row *row, int i)
{
	switch (row->signaled) {
	case LAST:	return i == row->count - 1;
	case ALL:	return true;
	case ALL_BUT_LAST: return i != row->count - 1;
	default:	return false;
	}
}

static void measure(const struct row *row)
{
	dev = ntsync_open();
	must(dev >= 0);
	for (int i = 0; i < row->count; i++)
		must((objs[i] = create(row->type, is_signaled(row, i))) >= 0);
	obj = row->count ? objs[0] : create(row->type, false);
	other = event_create(dev, 1, 0);
	request = row->all ? NTSYNC_IOC_WAIT_ALL : NTSYNC_IOC_WAIT_ANY;
	expected = row->signaled == NONE || row->signaled == ALL_BUT_LAST ?
		-ETIMEDOUT : 0;
	args = (struct ntsync_wait_args) {
		.timeout = row->timeout, .objs = (uintptr_t)objs,
		.count = row->count, .owner = 1,
		.alert = row->alert ? other : 0,
	};
	printf("%s\t%d\t%d\t%g\t%.2f\n", row->name, row->dev, row->obj, row->limit,
	       count_instructions(row->op) - count_instructions(nothing));
	fflush(stdout);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			measure(&rows[i]);
			_exit(0);
		}
		must(waitpid(pid, &status, 0) == pid && !status);
	}
}
