// SPDX-License-Identifier: GPL-2.0
/* Trace events: what is recorded for each operation, and nothing while they are off. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <glob.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include "waiter.h"
#include "objects.h"
#include "task.h"
#include "fdinfo.h"

#define TRACING	"/sys/kernel/tracing/"

/* The largest owner, negative if it is printed as a signed number. */
#define LAST	UINT32_MAX

FIXTURE(trace) {
	int dev;
	__u32 instance;
	char *text;
};

FIXTURE_SETUP(trace)
{
	struct fdinfo *info = calloc(1, sizeof(*info));

	if (access(TRACING "trace", F_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	ASSERT_EQ(0, access(TRACING "events/ntsync", F_OK))
		TH_LOG("this kernel has no trace events");
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->text = malloc(1 << 20);
	ASSERT_NE(NULL, self->text);
	ASSERT_NE(NULL, info);
	ASSERT_EQ(0, fdinfo_read(self->dev, info));
	self->instance = info->instance;
	free(info);
	ASSERT_EQ(0, write_file(TRACING "trace", "\n"));
	/*
	 * Do not record names of threads: for that the kernel patches its scheduler
	 * each time, and a CPU of QEMU may still execute the old code.
	 */
	ASSERT_EQ(0, write_file(TRACING "options/record-cmd", "0"));
	ASSERT_EQ(0, write_file(TRACING "events/ntsync/enable", "1"));
}

FIXTURE_TEARDOWN(trace)
{
	write_file(TRACING "events/ntsync/enable", "0");
	free(self->text);
	close(self->dev);
}

static bool read_text(const char *path, char *text)
{
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return false;
	len = fread(text, 1, (1 << 20) - 1, file);
	text[len] = '\0';
	fclose(file);
	return true;
}

/* Reads what was traced so far into @text. */
static bool read_trace(char *text)
{
	return read_text(TRACING "trace", text);
}

/* Counts the events that begin with this text. */
static int count_events(const char *text, const char *event)
{
	int count = 0;

	while ((text = strstr(text, event))) {
		count++;
		text++;
	}
	return count;
}

#define EXPECT_EVENTS(count, event, ...)				\
do {									\
	char _event[256];						\
									\
	snprintf(_event, sizeof(_event), "ntsync_" event, ##__VA_ARGS__);	\
	ASSERT_TRUE(read_trace(self->text));				\
	EXPECT_EQ(count, count_events(self->text, _event)) {		\
		TH_LOG("of \"%s\" in:\n%s", _event, self->text);	\
	}								\
} while (0)

TEST_F(trace, life)
{
	int sem = sem_create(self->dev, 1, 2);

	EXPECT_EVENTS(1, "create: instance=%u object=1 type=semaphore\n",
		      self->instance);
	EXPECT_EVENTS(0, "destroy:");
	close(sem);
	EXPECT_EVENTS(1, "destroy: instance=%u object=1 type=semaphore\n",
		      self->instance);
	close(event_create(self->dev, 0, 0));
	EXPECT_EVENTS(1, "create: instance=%u object=2 type=event\n",
		      self->instance);
	close(mutex_create(self->dev, 0, 0));
	EXPECT_EVENTS(1, "destroy: instance=%u object=3 type=mutex\n",
		      self->instance);
}

TEST_F(trace, wait_for_one)
{
	int sem = sem_create(self->dev, 2, 2);

	ASSERT_EQ(0, wait_any(self->dev, &sem, 1, LAST, 0, 0, NULL));
	EXPECT_EVENTS(1, "wait_begin: instance=%u kind=any count=1 alert=0 owner=%u timeout=0\n",
		      self->instance, LAST);
	EXPECT_EVENTS(1, "acquire: instance=%u object=1 type=semaphore owner=%u count=1\n",
		      self->instance, LAST);
	EXPECT_EVENTS(1, "wait_end: instance=%u kind=any count=1 owner=%u ret=0 index=0 object=1 ",
		      self->instance, LAST);
	EXPECT_EVENTS(0, "queue:");
	ASSERT_EQ(0, wait_any(self->dev, &sem, 1, ME, 0, 0, NULL));
	EXPECT_EVENTS(1, "acquire: instance=%u object=1 type=semaphore owner=%u count=0\n",
		      self->instance, ME);
	ASSERT_EQ(-ETIMEDOUT, wait_any(self->dev, &sem, 1, ME, 0, 0, NULL));
	EXPECT_EVENTS(1, "wait_end: instance=%u kind=any count=1 owner=%u ret=%d index=0 object=0 ",
		      self->instance, ME, -ETIMEDOUT);
}

TEST_F(trace, wait_for_several)
{
	int objs[2] = { mutex_create(self->dev, 0, 0),
			event_create(self->dev, 1, 1) };
	int alert = event_create(self->dev, 0, 1);

	ASSERT_EQ(0, wait_all(self->dev, objs, 2, ME, FOREVER, alert, NULL));
	EXPECT_EVENTS(1, "wait_begin: instance=%u kind=all count=2 alert=1 owner=%u timeout=%llu\n",
		      self->instance, ME, (unsigned long long)FOREVER);
	EXPECT_EVENTS(1, "acquire: instance=%u object=1 type=mutex owner=%u count=1\n",
		      self->instance, ME);
	EXPECT_EVENTS(1, "acquire: instance=%u object=2 type=event owner=%u count=1\n",
		      self->instance, ME);
	EXPECT_EVENTS(1, "wait_end: instance=%u kind=all count=2 owner=%u ret=0 index=0 object=1 ",
		      self->instance, ME);
	ASSERT_EQ(0, wait_any(self->dev, objs, 0, ME, FOREVER, alert, NULL));
	EXPECT_EVENTS(1, "wait_end: instance=%u kind=any count=0 owner=%u ret=0 index=0 object=3 ",
		      self->instance, ME);
	/* The alert does not change. */
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, wait_all(self->dev, objs, 0, ME, FOREVER,
				      i ? alert : 0, NULL));
		EXPECT_EVENTS(1 + i,
			      "wait_end: instance=%u kind=all count=0 owner=%u ret=0 index=0 object=0 ",
			      self->instance, ME);
	}
}

/* The object that ended the wait, which need not be the first, and not a success. */
TEST_F(trace, object_that_ends_a_wait)
{
	int objs[3] = { sem_create(self->dev, 0, 1),
			mutex_create(self->dev, OTHER, 1),
			event_create(self->dev, 0, 1) };
	__u32 index;

	ASSERT_EQ(0, poll_any(self->dev, objs, 3, &index));
	EXPECT_EQ(2U, index);
	ASSERT_EQ(0, mutex_kill(objs[1], OTHER));
	ASSERT_EQ(-EOWNERDEAD, poll_any(self->dev, objs, 3, &index));
	EXPECT_EQ(1U, index);
	ASSERT_EQ(0, mutex_kill(objs[1], ME));
	ASSERT_EQ(-EOWNERDEAD, poll_all(self->dev, objs + 1, 1, &index));
	EXPECT_EQ(0U, index);
	EXPECT_EVENTS(3, "wait_end: instance=%u kind=", self->instance);
	EXPECT_EQ(1, count_events(self->text, " ret=0 index=2 object=3 type=event waited="));
	EXPECT_EQ(1, count_events(self->text, " index=1 object=2 type=mutex waited="));
	EXPECT_EQ(1, count_events(self->text, " index=0 object=2 type=mutex waited="));
}

/* An object that gets no descriptor does not die without having been born. */
TEST_F(trace, creation_that_fails)
{
	struct rlimit limit;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, event_create(self->dev, 0, 0));
	limit.rlim_cur = limit.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	ASSERT_TRUE(read_trace(self->text));
	EXPECT_EQ(count_events(self->text, "ntsync_destroy:"),
		  count_events(self->text, "ntsync_create:"))
		TH_LOG("%s", self->text);
}

TEST_F(trace, signals)
{
	int sem = sem_create(self->dev, 0, 1), event = event_create(self->dev,
								    0, 0);
	int mutex = mutex_create(self->dev, ME, 2);
	__u32 one = 1;

	ASSERT_EQ(0, sem_release(sem, &one));
	EXPECT_EVENTS(1, "signal: instance=%u object=1 type=semaphore op=release ret=0 woken=0\n",
		      self->instance);
	one = 1;
	ASSERT_EQ(-EOVERFLOW, sem_release(sem, &one));
	EXPECT_EVENTS(1, "signal: instance=%u object=1 type=semaphore op=release ret=%d woken=0\n",
		      self->instance, -EOVERFLOW);
	ASSERT_EQ(0, event_set(event, &one));
	EXPECT_EVENTS(1, "signal: instance=%u object=2 type=event op=set ret=0 woken=0\n",
		      self->instance);
	ASSERT_EQ(0, event_pulse(event, &one));
	EXPECT_EVENTS(1, "signal: instance=%u object=2 type=event op=pulse ret=0 woken=0\n",
		      self->instance);
	ASSERT_EQ(0, mutex_unlock(mutex, ME, NULL));
	EXPECT_EVENTS(1, "signal: instance=%u object=3 type=mutex op=unlock ret=0 woken=0\n",
		      self->instance);
	ASSERT_EQ(0, mutex_kill(mutex, ME));
	EXPECT_EVENTS(1, "signal: instance=%u object=3 type=mutex op=kill ret=0 woken=0\n",
		      self->instance);
}

/* Waits that the driver refuses, for each reason that it finds before the wait begins. */
TEST_F(trace, refused_waits)
{
	static const unsigned long requests[] = { NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ALL };
	int event = event_create(self->dev, 0, 1), another = ntsync_open();
	int objs[2] = { event, event_create(another, 0, 1) };
	struct ntsync_wait_args *args = mmap(NULL, sizeof(*args), PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, args);
	*args = (struct ntsync_wait_args) {
		.objs = (uintptr_t)&event, .count = 1, .owner = ME,
	};
	ASSERT_EQ(0, mprotect(args, sizeof(*args), PROT_READ));
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		unsigned long request = requests[i];
		int dev = self->dev;

		EXPECT_EQ(-EINVAL, wait_call(dev, request, objs, 2, ME, 0, 0, NULL));
		EXPECT_EQ(-EINVAL, wait_call(dev, request, objs, 1, ME, 0, objs[1], NULL));
		EXPECT_EQ(-EINVAL, wait_call(dev, request, objs, 1, 0, 0, 0, NULL));
		EXPECT_EQ(-EINVAL, wait_call(dev, request, objs, NTSYNC_MAX_WAIT_COUNT + 1, ME, 0,
					     0, NULL));
		EXPECT_EQ(-EFAULT, wait_call(dev, request, NULL, 1, ME, 0, 0, NULL));
		EXPECT_EQ(-EFAULT, ntsync_call(dev, request, NULL));
		EXPECT_EQ(-EFAULT, ntsync_call(dev, request, args));
	}
	objs[1] = event;
	EXPECT_EQ(-EINVAL, poll_all(self->dev, objs, 2, NULL));
	EXPECT_EVENTS(0, "wait_");
	EXPECT_EVENT(0, 1, event);
	close(another);
}

/*
 * Perf and trace-cmd print what the format says, and do not know the driver's constants.  Other
 * programs know the numbers.
 */
TEST_F(trace, formats_have_no_constants)
{
	static const char *const types[] = {
		"{ 0, \"semaphore\" }", "{ 1, \"mutex\" }", "{ 2, \"event\" }",
	};
	static const char *const ops[] = {
		"{ 0, \"release\" }", "{ 1, \"unlock\" }", "{ 2, \"kill\" }",
		"{ 3, \"set\" }", "{ 4, \"pulse\" }",
	};
	glob_t formats;

	ASSERT_EQ(0, glob(TRACING "events/ntsync/ntsync_*/format", 0, NULL, &formats));
	EXPECT_EQ(7U, formats.gl_pathc);
	for (size_t i = 0; i < formats.gl_pathc; i++) {
		ASSERT_TRUE(read_text(formats.gl_pathv[i], self->text));
		EXPECT_EQ(NULL, strstr(self->text, "NTSYNC_"))
			TH_LOG("%s", self->text);
	}
	globfree(&formats);
	ASSERT_TRUE(read_text(TRACING "events/ntsync/ntsync_create/format", self->text));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_NE(NULL, strstr(self->text, types[i]))
			TH_LOG("%s", self->text);
	ASSERT_TRUE(read_text(TRACING "events/ntsync/ntsync_signal/format", self->text));
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		EXPECT_NE(NULL, strstr(self->text, ops[i]))
			TH_LOG("%s", self->text);
}

/* The holder of the mutex for which a wait queues, and the number of waits that a signal wakes. */
TEST_F(trace, waits_that_block)
{
	int event = event_create(self->dev, 1, 0);
	int objs[2] = { mutex_create(self->dev, LAST - 1, 1), event };
	struct waiter waiters[3];
	char held[128];
	__u32 prev;

	ASSERT_TRUE(waiter_start_blocked(&waiters[0], self->dev,
					 NTSYNC_IOC_WAIT_ANY, objs, 2, LAST, 0));
	ASSERT_TRUE(waiter_start_blocked(&waiters[1], self->dev,
					 NTSYNC_IOC_WAIT_ANY, &event, 1, 22, 0));
	ASSERT_TRUE(waiter_start_blocked(&waiters[2], self->dev,
					 NTSYNC_IOC_WAIT_ALL, &event, 1, 23, 0));
	EXPECT_EVENTS(4, "queue: instance=%u serial=", self->instance);
	snprintf(held, sizeof(held),
		 " object=2 type=mutex kind=any index=0 owner=%u holder=%u\n",
		 LAST, LAST - 1);
	EXPECT_EQ(1, count_events(self->text, held));
	snprintf(held, sizeof(held),
		 " object=1 type=event kind=any index=1 owner=%u holder=0\n", LAST);
	EXPECT_EQ(1, count_events(self->text, held));
	EXPECT_EQ(1, count_events(self->text,
				  " object=1 type=event kind=any index=0 owner=22 holder=0\n"));
	EXPECT_EQ(1, count_events(self->text,
				  " object=1 type=event kind=all index=0 owner=23 holder=0\n"));
	ASSERT_EQ(0, event_set(event, &prev));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, waiter_join(&waiters[i]));
	EXPECT_EVENTS(1, "signal: instance=%u object=1 type=event op=set ret=0 woken=3\n",
		      self->instance);
	ASSERT_TRUE(read_trace(self->text));
	EXPECT_EQ(0, count_events(self->text, " waited=0\n"));
}

/* How long the only wait of @owner took, according to its end; 0 if there is none. */
static unsigned long long traced_time(const char *text, __u32 owner)
{
	unsigned long long waited = 0;
	char begin[32];

	snprintf(begin, sizeof(begin), " owner=%u ret=0 ", owner);
	text = strstr(text, begin);
	text = text ? strstr(text, " waited=") : NULL;
	if (text && sscanf(text, " waited=%llu\n", &waited) != 1)
		waited = 0;
	return waited;
}

/* A wait for all queues on the object that is not signaled, and on its alert. */
TEST_F(trace, wait_for_all_that_blocks)
{
	__u64 begun = clock_ns(CLOCK_MONOTONIC), asleep, woken;
	int objs[4] = { event_create(self->dev, 1, 1),
			sem_create(self->dev, 1, 1),
			mutex_create(self->dev, OTHER, 1),
			event_create(self->dev, 1, 1) };
	int alert = event_create(self->dev, 0, 0);
	struct waiter waiter;

	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ALL, objs, 4, 21,
					 alert));
	asleep = clock_ns(CLOCK_MONOTONIC);
	EXPECT_EVENTS(2, "queue: instance=%u serial=", self->instance);
	EXPECT_EQ(1, count_events(self->text,
				  " object=3 type=mutex kind=all index=2 owner=21 holder=2\n"));
	EXPECT_EQ(1, count_events(self->text,
				  " object=5 type=event kind=all index=4 owner=21 holder=0\n"));
	/*
	 * It sleeps longer than it took to begin, so a part of the time would be too short, and
	 * longer than the 4.3 s for which 32 bits suffice.
	 */
	ASSERT_TRUE(wait_until(clock_ns(CLOCK_MONOTONIC) >
			       asleep + 3 * (asleep - begun) + 4500 * NSEC_PER_MSEC));
	woken = clock_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, mutex_unlock(objs[2], OTHER, NULL));
	ASSERT_EQ(0, waiter_join(&waiter));
	EXPECT_EVENTS(1, "wait_end: instance=%u kind=all count=4 owner=21 ret=0 index=0 object=1 ",
		      self->instance);
	for (int i = 0; i < 4; i++)
		EXPECT_EVENTS(1, "acquire: instance=%u object=%d ",
			      self->instance, i + 1);
	EXPECT_EVENTS(0, "acquire: instance=%u object=5 ", self->instance);
	EXPECT_LE(woken - asleep, traced_time(self->text, 21));
	EXPECT_GE(clock_ns(CLOCK_MONOTONIC) - begun,
		  traced_time(self->text, 21));

	/* The alert ends a wait. */
	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ALL, objs, 4, 22,
					 alert));
	ASSERT_EQ(0, event_set(alert, &(__u32){ 0 }));
	ASSERT_EQ(0, waiter_join(&waiter));
	EXPECT_EVENTS(1, "wait_end: instance=%u kind=all count=4 owner=22 ret=0 index=4 object=5 ",
		      self->instance);
	EXPECT_EVENTS(1, "acquire: instance=%u object=5 ", self->instance);
}

static atomic_int interruptions;

static void count_interruption(int sig)
{
	(void)sig;
	interruptions++;
}

/* Traced or not, a wait goes on after a signal whose handler restarts calls. */
TEST_F(trace, restarted)
{
	static const struct {
		unsigned long request;
		int count;
	} waits[] = {
		{ NTSYNC_IOC_WAIT_ANY, 1 },
		{ NTSYNC_IOC_WAIT_ANY, 2 },
		{ NTSYNC_IOC_WAIT_ALL, 1 },
		{ NTSYNC_IOC_WAIT_ALL, 2 },
	};
	struct sigaction action = {
		.sa_handler = count_interruption, .sa_flags = SA_RESTART,
	};

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	for (int i = 0; i < (int)ARRAY_SIZE(waits); i++) {
		struct waiter waiter;
		int objs[2];

		ASSERT_EQ(0, create_events(self->dev, 0, objs, 2));
		ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev, waits[i].request, objs,
						 waits[i].count, ME, 0));
		ASSERT_EQ(0, pthread_kill(waiter.thread, SIGUSR1));
		ASSERT_TRUE(wait_until(interruptions == i + 1));
		ASSERT_TRUE(waiter_blocks(&waiter));
		for (int j = 0; j < waits[i].count; j++)
			ASSERT_EQ(0, event_set(objs[j], &(__u32){ 0 }));
		EXPECT_EQ(0, waiter_join(&waiter));
	}
}

/* Is there one event with each of these beginnings, one after the other? */
static bool in_order(const char *text, const char *const *events, int count)
{
	for (int i = 0; i < count; i++) {
		text = strstr(text, events[i]);
		if (!text++)
			return false;
	}
	return true;
}

TEST_F(trace, order)
{
	static const char *const poll[] = {
		"ntsync_wait_begin:", "ntsync_acquire:", "ntsync_wait_end:",
	};
	static const char *const wait[] = {
		"ntsync_wait_begin:", "ntsync_queue:", "ntsync_acquire:",
		"ntsync_signal:", "ntsync_wait_end:",
	};
	int event = event_create(self->dev, 0, 1);
	struct waiter waiter;

	/* The clocks of two CPUs may differ. */
	ASSERT_EQ(0, stay_on_cpu(sched_getcpu()));
	ASSERT_EQ(0, poll_any(self->dev, &event, 1, NULL));
	ASSERT_TRUE(read_trace(self->text));
	EXPECT_TRUE(in_order(self->text, poll, ARRAY_SIZE(poll)))
		TH_LOG("%s", self->text);
	ASSERT_EQ(0, write_file(TRACING "trace", "\n"));
	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ANY, &event, 1, ME,
					 0));
	ASSERT_EQ(0, event_set(event, &(__u32){ 0 }));
	ASSERT_EQ(0, waiter_join(&waiter));
	ASSERT_TRUE(read_trace(self->text));
	EXPECT_TRUE(in_order(self->text, wait, ARRAY_SIZE(wait)))
		TH_LOG("%s", self->text);
}

/* If a poll queued, a pulse after its deadline could satisfy it. */
TEST_F(trace, no_queue_after_the_deadline)
{
	static const int clocks[2] = { CLOCK_MONOTONIC, CLOCK_REALTIME };
	int objs[2] = { event_create(self->dev, 0, 0),
			mutex_create(self->dev, OTHER, 1) };
	struct waiter w;

	for (int i = 0; i < 8; i++) {
		waiter_fill(&w, self->dev,
			    i & 1 ? NTSYNC_IOC_WAIT_ALL : NTSYNC_IOC_WAIT_ANY,
			    objs, i & 2 ? 2 : 1, ME, 0);
		w.args.flags = i & 4 ? NTSYNC_WAIT_REALTIME : 0;
		w.args.timeout = clock_ns(clocks[i / 4]) - 1;
		EXPECT_EQ(-ETIMEDOUT, ntsync_call(w.dev, w.request, &w.args));
	}
	EXPECT_EVENTS(8, "wait_end: instance=%u kind=", self->instance);
	EXPECT_EVENTS(0, "queue:");
}

/* The end of a wait is traced even if its beginning was not. */
TEST_F(trace, end_alone)
{
	int event = event_create(self->dev, 1, 1);

	ASSERT_EQ(0, write_file(TRACING "events/ntsync/enable", "0"));
	ASSERT_EQ(0, write_file(TRACING "events/ntsync/ntsync_wait_end/enable",
				"1"));
	ASSERT_EQ(0, wait_any(self->dev, &event, 1, ME, 0, 0, NULL));
	EXPECT_EVENTS(0, "wait_begin:");
	EXPECT_EVENTS(1, "wait_end: instance=%u kind=any count=1 owner=%u ret=0 index=0 object=1 ",
		      self->instance, ME);
}

TEST_F(trace, silent_while_off)
{
	int event;
	__u32 prev;

	ASSERT_EQ(0, write_file(TRACING "events/ntsync/enable", "0"));
	event = event_create(self->dev, 0, 0);
	ASSERT_EQ(0, event_set(event, &prev));
	ASSERT_EQ(0, wait_any(self->dev, &event, 1, ME, 0, 0, NULL));
	close(event);
	EXPECT_EVENTS(0, "");
}

TEST_HARNESS_MAIN
