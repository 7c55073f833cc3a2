// SPDX-License-Identifier: GPL-2.0
/*
 * Lifetimes: descriptors that are closed during a wait, objects that outlive
 * their creator, waiters that are killed, and every way in which a descriptor
 * gets into another process.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <fcntl.h>
#include <sys/resource.h>
#include "passing.h"
#include "waiter.h"
#include "objects.h"
#include "task.h"

/* The name under which tests execute this program again. */
#define HELPER "lifetime-helper"

#define ANY NTSYNC_IOC_WAIT_ANY
#define ALL NTSYNC_IOC_WAIT_ALL

FIXTURE(lifetime) {
	int dev;
	struct object object;
	int other;		/* an auto-reset event, set */
	int objs[2];
	struct waiter w;
};

FIXTURE_VARIANT(lifetime) {
	enum kind kind;
	unsigned long request;
	int count;
};

FIXTURE_VARIANT_ADD(lifetime, any_sem) {
	.kind = SEM, .request = ANY, .count = 1,
};

FIXTURE_VARIANT_ADD(lifetime, any_mutex) {
	.kind = MUTEX, .request = ANY, .count = 1,
};

FIXTURE_VARIANT_ADD(lifetime, any_event) {
	.kind = AUTO_EVENT, .request = ANY, .count = 1,
};

FIXTURE_VARIANT_ADD(lifetime, all_sem) {
	.kind = SEM, .request = ALL, .count = 2,
};

FIXTURE_VARIANT_ADD(lifetime, all_mutex) {
	.kind = MUTEX, .request = ALL, .count = 2,
};

FIXTURE_VARIANT_ADD(lifetime, all_event) {
	.kind = MANUAL_EVENT, .request = ALL, .count = 2,
};

FIXTURE_SETUP(lifetime)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->object = object_create(self->dev, variant->kind);
	ASSERT_LE(0, self->object.fd);
	self->other = event_create(self->dev, 0, 1);
	ASSERT_LE(0, self->other);
	self->objs[0] = self->object.fd;
	self->objs[1] = self->other;
	waiter_fill(&self->w, self->dev, variant->request, self->objs,
		    variant->count, ME, 0);
}

FIXTURE_TEARDOWN(lifetime)
{
	close(self->other);
	close(self->object.fd);
	close(self->dev);
}

/*
 * A close on one CPU could have an effect later, so what follows it also checks that the
 * wait continues.
 */
TEST_F(lifetime, object_closed_while_waited_for)
{
	struct object again = {
		.kind = variant->kind, .fd = dup(self->object.fd),
	};

	ASSERT_LE(0, again.fd);
	ASSERT_EQ(0, waiter_run(&self->w));
	ASSERT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, close(self->object.fd));
	EXPECT_TRUE(waiter_blocks(&self->w));
	/* The number may become another file, but the wait uses the first one. */
	ASSERT_EQ(self->object.fd, event_create(self->dev, 1, 1));
	EXPECT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, object_signal(again));
	EXPECT_EQ(0, waiter_join(&self->w));
	EXPECT_ACQUIRED(again, ME);
	close(again.fd);
}

/* The object can no longer be signaled, but the wait can end in other ways. */
TEST_F(lifetime, last_reference_closed_while_waited_for)
{
	int alert = event_create(self->dev, 0, 0);
	__u32 value;

	ASSERT_LE(0, alert);
	self->w.args.alert = alert;
	ASSERT_EQ(0, waiter_run(&self->w));
	ASSERT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, close(self->object.fd));
	EXPECT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, event_set(alert, &value));
	EXPECT_EQ(0, waiter_join(&self->w));
	EXPECT_EQ(variant->count, self->w.args.index);
	EXPECT_EVENT(0, 1, self->other);
	/* For the teardown. */
	self->object.fd = event_create(self->dev, 0, 0);
}

TEST_F(lifetime, device_closed_while_waited_on)
{
	ASSERT_EQ(0, waiter_run(&self->w));
	ASSERT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, close(self->dev));
	EXPECT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(0, waiter_join(&self->w));
	EXPECT_ACQUIRED(self->object, ME);
	self->dev = ntsync_open();
}

/* Without the device no thread can wait, but everything else still works. */
TEST_F(lifetime, device_closed_first)
{
	int again = dup(self->dev);

	ASSERT_LE(0, again);
	ASSERT_EQ(0, close(self->dev));
	EXPECT_UNSIGNALED(self->object);
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_SIGNALED(self->object);
	EXPECT_EQ(0, wait_call(again, variant->request, self->objs,
			       variant->count, ME, 0, 0, NULL));
	EXPECT_ACQUIRED(self->object, ME);
	ASSERT_EQ(0, close(again));
	EXPECT_ACQUIRED(self->object, ME);
	self->dev = ntsync_open();
	/* Objects of another instance are refused. */
	EXPECT_EQ(-EINVAL, wait_call(self->dev, variant->request, self->objs,
				     variant->count, ME, 0, 0, NULL));
}

/* A waiter that is killed before it is satisfied takes nothing and is not served. */
TEST_F(lifetime, waiter_killed)
{
	pid_t pid;

	for (int i = 0; i < 5; i++) {
		pid = fork_waiter(&self->w);
		ASSERT_LT(0, pid);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(SIGKILL, child_status(pid));
		EXPECT_UNSIGNALED(self->object);
		EXPECT_EVENT(0, 1, self->other);
	}
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_SIGNALED(self->object);
	EXPECT_EVENT(0, 1, self->other);
}

/* The next waiter moves up. */
TEST_F(lifetime, waiter_killed_in_the_queue)
{
	pid_t first = fork_waiter(&self->w), second = fork_waiter(&self->w);

	ASSERT_LT(0, first);
	ASSERT_LT(0, second);
	ASSERT_EQ(0, waiter_run(&self->w));
	ASSERT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, kill(second, SIGKILL));
	ASSERT_EQ(SIGKILL, child_status(second));
	ASSERT_EQ(0, kill(first, SIGKILL));
	ASSERT_EQ(SIGKILL, child_status(first));
	EXPECT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(0, waiter_join(&self->w));
	EXPECT_ACQUIRED(self->object, ME);
}

/*
 * The kill and the signal race: either everything is taken or nothing.
 */
TEST_F(lifetime, waiter_killed_as_it_is_satisfied)
{
	const struct state acquired = state_acquired(variant->kind, ME);
	const struct state signaled = state_signaled(variant->kind);

	for (int i = 0; i < work(40, 4); i++) {
		struct object object = object_create(self->dev, variant->kind);
		__u32 value = 1;
		bool taken;
		pid_t pid;

		ASSERT_LE(0, object.fd);
		self->w.objs[0] = object.fd;
		pid = fork_waiter(&self->w);
		ASSERT_LT(0, pid);
		if (i % 2)
			ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(0, object_signal(object));
		if (!(i % 2))
			ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_LE(0, child_status(pid));
		taken = same_state(acquired, object_state(object));
		if (!taken)
			EXPECT_TRUE(same_state(signaled, object_state(object)));
		ASSERT_EQ(0, event_set(self->other, &value));
		/* A manual-reset event looks the same in both cases. */
		if (variant->kind != MANUAL_EVENT)
			EXPECT_EQ(!(variant->request == ALL && taken), value);
		close(object.fd);
	}
}

/* A process with many waiting threads exits promptly. */
struct crowd {
	struct waiter waiters[16];
};

static void exit_with_threads_waiting(const struct waiter *like, int how)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	for (int i = 0; i < 16; i++) {
		struct waiter *w = &crowd->waiters[i];

		*w = *like;
		w->args.objs = (uintptr_t)w->objs;
		if (waiter_run(w) || !waiter_blocks(w))
			_exit(1);
	}
	if (how)
		kill(getpid(), how);
	_exit(0);
}

TEST_F(lifetime, process_ends_with_threads_waiting)
{
	static const int how[] = { 0, SIGKILL, SIGTERM };

	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		pid_t pid = fork_child();

		ASSERT_LE(0, pid);
		if (!pid)
			exit_with_threads_waiting(&self->w, how[i]);
		ASSERT_EQ(how[i], child_status(pid));
		EXPECT_UNSIGNALED(self->object);
		EXPECT_EVENT(0, 1, self->other);
	}
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_SIGNALED(self->object);
}

/* One thread calls exec: the waits of the other threads of its process end. */
TEST_F(lifetime, exec_with_threads_waiting)
{
	pid_t pid = fork_child();

	ASSERT_LE(0, pid);
	if (!pid) {
		struct waiter w = self->w;

		w.args.objs = (uintptr_t)w.objs;
		if (!waiter_run(&w) && waiter_blocks(&w))
			execl("/proc/self/exe", HELPER, "exit", NULL);
		_exit(1);
	}
	ASSERT_EQ(0, child_exit_code(pid));
	EXPECT_UNSIGNALED(self->object);
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_SIGNALED(self->object);
	EXPECT_EVENT(0, 1, self->other);
}

/* Created by the parent, waited for by the child, signaled by the parent. */
TEST_F(lifetime, used_by_a_child)
{
	pid_t pid = fork_waiter(&self->w);

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(0, child_exit_code(pid));
	EXPECT_ACQUIRED(self->object, ME);
}

/* The child exits, and what it has acquired stays acquired. */
TEST_F(lifetime, parent_waits_for_a_child)
{
	pid_t pid;

	ASSERT_EQ(0, waiter_run(&self->w));
	ASSERT_TRUE(waiter_blocks(&self->w));
	pid = fork_child();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(object_signal(self->object) ? 1 : 0);
	ASSERT_EQ(0, child_exit_code(pid));
	EXPECT_EQ(0, waiter_join(&self->w));
	EXPECT_ACQUIRED(self->object, ME);
}

/* A client has only what it gets over the socket, as with Wine. */
static int be_a_client(int sock, unsigned long request, int count)
{
	int fds[3];

	if (receive_fds(sock, fds, 3))
		return 2;
	if (wait_call(fds[0], request, &fds[1], count, OTHER, FOREVER, 0, NULL))
		return 3;
	return 0;
}

TEST_F(lifetime, passed_over_a_socket)
{
	const int fds[] = { self->dev, self->object.fd, self->other };
	struct object kept;
	int socks[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, socks)) {
		ASSERT_EQ(ENOSYS, errno);
		SKIP(return, "this kernel has no sockets");
	}
	pid = fork_child();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (int i = 0; i < 3; i++)
			close(fds[i]);
		_exit(be_a_client(socks[1], variant->request, variant->count));
	}
	ASSERT_EQ(0, send_fds(socks[0], fds, 3));
	kept = (struct object) { variant->kind, dup(self->object.fd) };
	ASSERT_EQ(0, close(self->object.fd));
	ASSERT_EQ(0, object_signal(kept));
	EXPECT_EQ(0, child_exit_code(pid));
	EXPECT_ACQUIRED(kept, OTHER);
	self->object = kept;
}

/* Descriptors in a message keep objects alive while nothing else does. */
TEST_F(lifetime, in_flight_only)
{
	int fds[3] = { self->dev, self->object.fd, self->other };
	int socks[2];

	ASSERT_EQ(0, object_signal(self->object));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, socks)) {
		ASSERT_EQ(ENOSYS, errno);
		SKIP(return, "this kernel has no sockets");
	}
	ASSERT_EQ(0, send_fds(socks[0], fds, 3));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, close(fds[i]));
	ASSERT_EQ(0, receive_fds(socks[1], fds, 3));
	self->dev = fds[0];
	self->object.fd = fds[1];
	self->other = fds[2];
	EXPECT_SIGNALED(self->object);
	EXPECT_EQ(0, wait_call(self->dev, variant->request, &fds[1],
			       variant->count, ME, 0, 0, NULL));
	EXPECT_ACQUIRED(self->object, ME);
	/* If they are not received, they are closed with the socket. */
	ASSERT_EQ(0, send_fds(socks[0], &self->other, 1));
	close(socks[0]);
	close(socks[1]);
}

FIXTURE(descriptors) {
	int dev;
};

FIXTURE_SETUP(descriptors)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(descriptors)
{
	close(self->dev);
}

/* The driver does not know that an owner has died: the program must say so. */
TEST_F(descriptors, mutex_of_a_killed_process_stays_owned)
{
	int mutex = mutex_create(self->dev, 0, 0);
	struct waiter w;
	pid_t pid;

	ASSERT_LE(0, mutex);
	waiter_fill(&w, self->dev, ANY, &mutex, 1, ME, 0);
	pid = fork_child();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (int i = 0; i < 2; i++) {
			if (wait_any(self->dev, &mutex, 1, OTHER, 0, 0, NULL))
				_exit(1);
		}
		raise(SIGKILL);
	}
	ASSERT_EQ(SIGKILL, child_status(pid));
	EXPECT_MUTEX(OTHER, 2, mutex);
	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, &mutex, 1, NULL));
	ASSERT_EQ(0, waiter_run(&w));
	ASSERT_TRUE(waiter_blocks(&w));
	EXPECT_EQ(-EPERM, mutex_kill(mutex, THIRD));
	EXPECT_TRUE(waiter_blocks(&w));
	EXPECT_EQ(0, mutex_kill(mutex, OTHER));
	EXPECT_EQ(-EOWNERDEAD, waiter_join(&w));
	EXPECT_EQ(0, w.args.index);
	EXPECT_MUTEX(ME, 1, mutex);
}

TEST_F(descriptors, shown_as_ntsync)
{
	char path[64], name[64];
	ssize_t len;

	for (int kind = 0; kind < KINDS; kind++) {
		struct object object = object_create(self->dev, kind);

		ASSERT_LE(0, object.fd);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", object.fd);
		len = readlink(path, name, sizeof(name) - 1);
		ASSERT_LT(0, len);
		name[len] = '\0';
		EXPECT_STREQ("anon_inode:ntsync", name);
		close(object.fd);
	}
}

TEST_F(descriptors, closed_on_exec)
{
	for (int kind = 0; kind < KINDS; kind++) {
		struct object object = object_create(self->dev, kind);

		ASSERT_LE(0, object.fd);
		EXPECT_EQ(FD_CLOEXEC, fcntl(object.fd, F_GETFD));
		close(object.fd);
	}
}

/* The program executes itself to check. */
TEST_F(descriptors, survive_exec_if_told_to)
{
	int kept = event_create(self->dev, 0, 0);
	int closed = event_create(self->dev, 0, 0);
	char kept_arg[16], closed_arg[16];
	pid_t pid;

	ASSERT_LE(0, kept);
	ASSERT_LE(0, closed);
	ASSERT_EQ(0, fcntl(kept, F_SETFD, 0));
	snprintf(kept_arg, sizeof(kept_arg), "%d", kept);
	snprintf(closed_arg, sizeof(closed_arg), "%d", closed);
	pid = fork_child();
	ASSERT_LE(0, pid);
	if (!pid) {
		execl("/proc/self/exe", HELPER, "set", kept_arg, closed_arg,
		      NULL);
		_exit(9);
	}
	EXPECT_EQ(0, child_exit_code(pid));
	EXPECT_EVENT(0, 1, kept);
	EXPECT_EVENT(0, 0, closed);
}

/* The object's creator has exited, and with it the only descriptor of the device. */
TEST_F(descriptors, outlive_their_maker)
{
	int socks[2], fds[2];
	__u32 value;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, socks)) {
		ASSERT_EQ(ENOSYS, errno);
		SKIP(return, "this kernel has no sockets");
	}
	pid = fork_child();
	ASSERT_LE(0, pid);
	if (!pid) {
		int dev = ntsync_open();
		int made[] = { event_create(dev, 0, 0), sem_create(dev, 1, 2) };

		_exit(send_fds(socks[1], made, 2) ? 1 : 0);
	}
	ASSERT_EQ(0, child_exit_code(pid));
	ASSERT_EQ(0, receive_fds(socks[0], fds, 2));
	EXPECT_EVENT(0, 0, fds[0]);
	EXPECT_EQ(0, event_set(fds[0], &value));
	EXPECT_EVENT(0, 1, fds[0]);
	EXPECT_EQ(0, event_pulse(fds[0], &value));
	EXPECT_EVENT(0, 0, fds[0]);
	EXPECT_SEM(1, 2, fds[1]);
	value = 1;
	EXPECT_EQ(0, sem_release(fds[1], &value));
	EXPECT_SEM(2, 2, fds[1]);
}

/* If each of a hundred thousand calls leaked, the memory of a small guest would run out. */
TEST_F(descriptors, made_and_closed_many_times)
{
	struct object object;
	int first = -1;

	for (int i = 0; i < work(100000, 2500); i++) {
		object = object_create(self->dev, i % KINDS);
		ASSERT_LE(0, object.fd);
		if (first < 0)
			first = object.fd;
		ASSERT_EQ(first, object.fd);
		if (i % 16 == 0)
			ASSERT_EQ(0, object_signal(object));
		ASSERT_EQ(0, close(object.fd));
	}
	for (int i = 0; i < work(10000, 250); i++) {
		int dev = ntsync_open();

		ASSERT_LE(0, dev);
		object = object_create(dev, i % KINDS);
		ASSERT_LE(0, object.fd);
		ASSERT_EQ(0, close(i % 2 ? dev : object.fd));
		ASSERT_EQ(0, close(i % 2 ? object.fd : dev));
	}
}

/* Closing and waiting at the same time, with the same number: success or EINVAL. */
struct churn {
	int dev;
	atomic_int fd;
	atomic_bool stop;
	atomic_int bad;
	atomic_int closed;	/* or replaced */
	atomic_int waited;	/* rounds of waits that found it open */
	atomic_int refused;	/* and closed */
};

/* Some waits have found the descriptor open, others closed. */
static bool closed_enough(const struct churn *c)
{
	return c->closed >= work(5000, 125) && c->waited >= work(500, 10) &&
	       c->refused >= work(500, 10);
}

static void *wait_for_whatever_is_there(void *data)
{
	struct churn *c = data;

	while (!c->stop) {
		int objs[2] = { c->fd, c->fd };
		int ret = wait_any(c->dev, objs, 2, ME, 0, 0, NULL);

		if (ret && ret != -ETIMEDOUT && ret != -EINVAL)
			c->bad++;
		ret = wait_any(c->dev, objs, 1, ME,
			       clock_ns(CLOCK_MONOTONIC) + 20000, 0, NULL);
		if (ret && ret != -ETIMEDOUT && ret != -EINVAL)
			c->bad++;
		ret = wait_all(c->dev, objs, 1, ME,
			       clock_ns(CLOCK_MONOTONIC) + 20000, 0, NULL);
		if (ret && ret != -ETIMEDOUT && ret != -EINVAL)
			c->bad++;
		if (ret == -EINVAL)
			c->refused++;
		else
			c->waited++;
	}
	return NULL;
}

TEST_F(descriptors, closed_under_waits)
{
	struct churn c = { .dev = self->dev, .fd = -1 };
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	pthread_t threads[3];
	__u32 value;

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    wait_for_whatever_is_there, &c));
	while (race_goes_on(begun, closed_enough(&c))) {
		int event = event_create(self->dev, 0, 0);

		ASSERT_LE(0, event);
		c.fd = event;
		if (c.closed++ % 3 == 0)
			sched_yield();
		ASSERT_EQ(0, event_set(event, &value));
		ASSERT_EQ(0, close(event));
	}
	c.stop = true;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	say_done("%d closed, %d waits found it open and %d closed", c.closed,
		 c.waited, c.refused);
	EXPECT_TRUE(closed_enough(&c));
	EXPECT_EQ(0, c.bad);
}

static void *poll_what_is_replaced(void *data)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	struct churn *c = data;

	/* So that each call looks the number up many times. */
	for (size_t i = 0; i < ARRAY_SIZE(objs); i++)
		objs[i] = c->fd;
	while (!c->stop) {
		int ret = poll_any(c->dev, objs, ARRAY_SIZE(objs), NULL);

		c->waited += ret == -ETIMEDOUT;
		c->refused += ret == -EINVAL;
		c->bad += ret != -ETIMEDOUT && ret != -EINVAL;
	}
	return NULL;
}

static bool replaced_enough(const struct churn *c)
{
	return c->closed >= work(40000, 5000) && c->waited >= work(100000, 10000);
}

/* The number is an object's at all times, so it is never refused. */
TEST_F(descriptors, replaced_under_polls)
{
	struct churn c = {
		.dev = self->dev, .fd = event_create(self->dev, 0, 0),
	};
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	pthread_t thread;

	ASSERT_LE(0, c.fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, poll_what_is_replaced, &c));
	while (race_goes_on(begun, replaced_enough(&c))) {
		int event = event_create(self->dev, 0, 0);

		ASSERT_LE(0, event);
		/* Closes the last descriptor of the object before. */
		ASSERT_EQ(c.fd, dup2(event, c.fd));
		ASSERT_EQ(0, close(event));
		c.closed++;
	}
	c.stop = true;
	pthread_join(thread, NULL);
	say_done("%d replaced, %d polls", c.closed, c.waited);
	EXPECT_TRUE(replaced_enough(&c));
	EXPECT_EQ(0, c.refused);
	EXPECT_EQ(0, c.bad);
}

/* What the tests above execute. */
static int be_a_helper(int argc, char **argv)
{
	__u32 value;

	if (argc == 2 && !strcmp(argv[1], "exit"))
		return 0;
	if (argc != 4 || strcmp(argv[1], "set"))
		return 8;
	if (event_set(atoi(argv[2]), &value))
		return 1;
	return event_set(atoi(argv[3]), &value) == -EBADF ? 0 : 2;
}

/* Runs before the harness's main(); glibc passes the arguments to constructors too. */
static void __attribute__((constructor)) helper_main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[0], HELPER))
		_exit(be_a_helper(argc, argv));
}

TEST_HARNESS_MAIN
