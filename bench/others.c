// SPDX-License-Identifier: GPL-2.0
/* The same work by other means: eventfd, futex_waitv, a server's pipe. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include "bench.h"

#define MOST	64

/* A counter, used like a semaphore. */

static int fds[MOST];
static struct pollfd polls[MOST];
static int polled;

static void create_eventfds(int count, bool last)
{
	for (int i = 0; i < count; i++) {
		fds[i] = eventfd(last && i == count - 1,
				 EFD_SEMAPHORE | EFD_NONBLOCK);
		must(fds[i] >= 0);
		polls[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	}
	polled = count;
}

static void poll_none(void)
{
	must(!poll(polls, polled, 0));
}

static void poll_last(void)
{
	must(poll(polls, polled, -1) == 1);
}

static void poll_read_write(void)
{
	uint64_t one;

	must(poll(polls, 1, -1) == 1);
	must(read(fds[0], &one, sizeof(one)) == sizeof(one));
	must(write(fds[0], &one, sizeof(one)) == sizeof(one));
}

static void measure_eventfd(const void *arg)
{
	(void)arg;
	create_eventfds(1, true);
	report(&(struct result){ .name = "semaphore wait + release|eventfd" },
	       count_instructions(poll_read_write));
	create_eventfds(1, false);
	report(&(struct result){ .name = "poll any of 1, timeout 0|eventfd" },
	       count_instructions(poll_none));
	create_eventfds(MOST, false);
	report(&(struct result){ .name = "poll any of 64, none signaled|eventfd" },
	       count_instructions(poll_none));
	create_eventfds(MOST, true);
	report(&(struct result){ .name = "any of 64, last signaled|eventfd" },
	       count_instructions(poll_last));
}

/* Words that are 0 while unsignaled */

static atomic_uint words[MOST];
static struct futex_waitv waits[MOST];

static void name_words(void)
{
	for (int i = 0; i < MOST; i++)
		waits[i] = (struct futex_waitv) {
			.uaddr = (uintptr_t)&words[i],
			.flags = FUTEX_32 | FUTEX_PRIVATE_FLAG,
		};
}

static long futex_wait_any(int count, struct timespec *timeout)
{
	long ret = syscall(SYS_futex_waitv, waits, count, 0, timeout,
			   CLOCK_MONOTONIC);

	return ret < 0 ? -errno : ret;
}

static void futex_wake(atomic_uint *word)
{
	must(syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) >=
	     0);
}

static void futex_poll_one(void)
{
	must(futex_wait_any(1, &(struct timespec){ 0 }) == -ETIMEDOUT);
}

static void futex_poll_many(void)
{
	must(futex_wait_any(MOST, &(struct timespec){ 0 }) == -ETIMEDOUT);
}

static void futex_take_last(void)
{
	must(futex_wait_any(MOST, NULL) == -EAGAIN);
}

/* Taking a free one needs no call; giving it back needs one, which wakes no one. */
static void futex_take_release(void)
{
	must(atomic_exchange(&words[0], 0));
	atomic_store(&words[0], 1);
	futex_wake(&words[0]);
}

static void measure_futex(const void *arg)
{
	(void)arg;
	name_words();
	report(&(struct result){ .name = "poll any of 1, timeout 0|futex_waitv" },
	       count_instructions(futex_poll_one));
	report(&(struct result){ .name = "poll any of 64, none signaled|futex_waitv" },
	       count_instructions(futex_poll_many));
	atomic_store(&words[MOST - 1], 1);
	report(&(struct result){ .name = "any of 64, last signaled|futex_waitv" },
	       count_instructions(futex_take_last));
	atomic_store(&words[0], 1);
	report(&(struct result){ .name = "semaphore wait + release|futex_waitv" },
	       count_instructions(futex_take_release));
}

/* Two threads that wake each other */

static const struct result eventfd_trip = {
	.name = "two threads, two events, round trip|eventfd",
};

static const struct result futex_trip = {
	.name = "two threads, two events, round trip|futex_waitv",
};

static void signal_eventfd(int i)
{
	uint64_t one = 1;

	must(write(fds[i], &one, sizeof(one)) == sizeof(one));
}

static void wait_eventfd(int i)
{
	uint64_t one;

	must(poll(&polls[i], 1, -1) == 1);
	must(read(fds[i], &one, sizeof(one)) == sizeof(one));
}

static void *answer_eventfd(void *arg)
{
	for (;;) {
		wait_eventfd(0);
		signal_eventfd(1);
	}
	return arg;
}

static void eventfd_round_trip(void)
{
	signal_eventfd(0);
	wait_eventfd(1);
}

static void measure_eventfd_trip(const void *arg)
{
	create_eventfds(2, false);
	start_thread(answer_eventfd, NULL);
	let_others_sleep();
	report(arg, count_turns(eventfd_round_trip));
}

static void signal_word(int i)
{
	atomic_store(&words[i], 1);
	futex_wake(&words[i]);
}

static void wait_word(int i)
{
	while (!atomic_exchange(&words[i], 0))
		syscall(SYS_futex_waitv, &waits[i], 1, 0, NULL, 0);
}

static void *answer_word(void *arg)
{
	for (;;) {
		wait_word(0);
		signal_word(1);
	}
	return arg;
}

static void futex_round_trip(void)
{
	signal_word(0);
	wait_word(1);
}

static void measure_futex_trip(const void *arg)
{
	name_words();
	start_thread(answer_word, NULL);
	let_others_sleep();
	report(arg, count_turns(futex_round_trip));
}

/* A server that answers each request of 64 bytes with as many */

static int requests[2], replies[2];

static void ask_server(void)
{
	char message[64] = { 0 };

	must(write(requests[1], message, sizeof(message)) == sizeof(message));
	must(read(replies[0], message, sizeof(message)) == sizeof(message));
}

static void serve(void)
{
	char message[64];

	close(requests[1]);
	while (read(requests[0], message, sizeof(message)) == sizeof(message))
		must(write(replies[1], message, sizeof(message)) ==
		     sizeof(message));
}

static void measure_server(const void *arg)
{
	pid_t pid;

	must(!pipe(requests) && !pipe(replies));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		serve();
		_exit(0);
	}
	let_others_sleep();
	report(arg, count_turns(ask_server));
}

void measure_others(void)
{
	static const struct result server = {
		.name = "any one of these|request to a server by pipe",
	};

	apart(measure_eventfd, NULL);
	apart(measure_futex, NULL);
	apart(measure_eventfd_trip, &eventfd_trip);
	apart(measure_futex_trip, &futex_trip);
	apart(measure_server, &server);
}
