// SPDX-License-Identifier: GPL-2.0
/* poll(), select(), epoll and io_uring on objects: readable while signaled. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include "waiter.h"
#include "objects.h"
#include "task.h"

/* Returns what poll() reports for a descriptor now. */
static int polled(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLOUT };

	if (poll(&pollfd, 1, 0) < 0)
		return -errno;
	return pollfd.revents;
}

/* More than two of the parts in which the driver serves a queue. */
#define MOST_WAITS	35

static bool readable(int fd)
{
	return polled(fd) == POLLIN;
}

/* A thread in poll(), and what poll() returned. */
struct poller {
	int fd;
	short events;
	pthread_t thread;
	atomic_int tid;
	atomic_bool done;
	int revents;
};

static void *poller_main(void *data)
{
	struct poller *poller = data;
	struct pollfd pollfd = { .fd = poller->fd, .events = poller->events };

	atomic_store(&poller->tid, syscall(SYS_gettid));
	if (poll(&pollfd, 1, -1) == 1)
		poller->revents = pollfd.revents;
	atomic_store(&poller->done, true);
	return NULL;
}

/* Does the poller go to sleep?  It sleeps only in poll(). */
static bool poller_start_for(struct poller *poller, int fd, short events)
{
	poller->fd = fd;
	poller->events = events;
	poller->revents = 0;
	atomic_init(&poller->tid, 0);
	atomic_init(&poller->done, false);
	if (pthread_create(&poller->thread, NULL, poller_main, poller))
		return false;
	return wait_until(poller->done ||
			  (poller->tid && thread_state(poller->tid) == 'S')) &&
	       !poller->done;
}

static bool poller_start(struct poller *poller, int fd)
{
	return poller_start_for(poller, fd, POLLIN);
}

static int poller_join(struct poller *poller)
{
	if (!wait_until(poller->done))
		return -ETIMEDOUT;
	pthread_join(poller->thread, NULL);
	return poller->revents;
}

FIXTURE(poll) {
	int dev;
	struct object object;
};

FIXTURE_VARIANT(poll) {
	enum kind kind;
};

FIXTURE_VARIANT_ADD(poll, sem) { .kind = SEM };
FIXTURE_VARIANT_ADD(poll, mutex) { .kind = MUTEX };
FIXTURE_VARIANT_ADD(poll, auto_event) { .kind = AUTO_EVENT };
FIXTURE_VARIANT_ADD(poll, manual_event) { .kind = MANUAL_EVENT };

FIXTURE_SETUP(poll)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->object = object_create(self->dev, variant->kind);
	ASSERT_LE(0, self->object.fd);
}

FIXTURE_TEARDOWN(poll)
{
	close(self->object.fd);
	close(self->dev);
}

/* Makes the object unsignaled, whatever its kind. */
static int unsignal(struct object object, int dev)
{
	if (object.kind == MANUAL_EVENT)
		return event_reset(object.fd, &(__u32){ 0 });
	return wait_any(dev, &object.fd, 1, ME, 0, 0, NULL);
}

/* Signals an object that @owner has acquired. */
static int signal_again(struct object object, __u32 owner)
{
	if (object.kind == MUTEX)
		return mutex_unlock(object.fd, owner, NULL);
	return object_signal(object);
}

TEST_F(poll, readable_exactly_while_signaled)
{
	int fd = self->object.fd;

	EXPECT_EQ(0, polled(fd));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(POLLIN, polled(fd));
	EXPECT_EQ(POLLIN, polled(fd));
	ASSERT_EQ(0, unsignal(self->object, self->dev));
	EXPECT_EQ(0, polled(fd));
}

TEST_F(poll, acquires_nothing)
{
	struct state before;

	ASSERT_EQ(0, object_signal(self->object));
	before = object_state(self->object);
	ASSERT_TRUE(readable(self->object.fd));
	EXPECT_TRUE(same_state(before, object_state(self->object)));
}

TEST_F(poll, signal_ends_poll)
{
	struct poller poller;

	ASSERT_TRUE(poller_start(&poller, self->object.fd));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(POLLIN, poller_join(&poller));
}

/* Some programs ask for one of the two bits, some for the other one. */
TEST_F(poll, signal_ends_poll_for_normal_data)
{
	struct poller poller;

	ASSERT_TRUE(poller_start_for(&poller, self->object.fd, POLLRDNORM));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(POLLRDNORM, poller_join(&poller));
}

TEST_F(poll, select_sees_the_same)
{
	struct timeval now = { 0 };
	fd_set in, out;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(self->object.fd, &in);
	FD_SET(self->object.fd, &out);
	EXPECT_EQ(0, select(self->object.fd + 1, &in, &out, NULL, &now));
	ASSERT_EQ(0, object_signal(self->object));
	FD_SET(self->object.fd, &in);
	FD_SET(self->object.fd, &out);
	EXPECT_EQ(1, select(self->object.fd + 1, &in, &out, NULL, &now));
	EXPECT_TRUE(FD_ISSET(self->object.fd, &in));
	EXPECT_FALSE(FD_ISSET(self->object.fd, &out));
}

/* Waits come first; pollers are notified only if the object is still signaled. */
TEST_F(poll, waits_are_served_before)
{
	struct poller poller;
	struct waiter waiter;

	ASSERT_TRUE(poller_start(&poller, self->object.fd));
	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ANY, &self->object.fd,
					 1, OTHER, 0));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(0, waiter_join(&waiter));
	if (variant->kind != MANUAL_EVENT) {
		EXPECT_EQ(0, polled(self->object.fd));
		EXPECT_FALSE(atomic_load(&poller.done));
		ASSERT_EQ(0, signal_again(self->object, OTHER));
	}
	EXPECT_EQ(POLLIN, poller_join(&poller));
}

/*
 * One set serves all waits, and then the poller, whatever the length of the queue: the driver
 * may serve it in parts.
 */
TEST(set_serves_queues_of_each_length)
{
	static const int lengths[] = { 1, 15, 16, 17, 24, 31, 32, 33, MOST_WAITS };
	int dev = ntsync_open();

	ASSERT_LE(0, dev);
	for (size_t l = 0; l < ARRAY_SIZE(lengths); l++) {
		int n = lengths[l], event = event_create(dev, 1, 0);
		struct waiter waiters[MOST_WAITS];
		struct poller poller;
		__u32 prev;

		for (int i = 0; i < n; i++)
			ASSERT_TRUE(waiter_start_blocked(&waiters[i], dev, NTSYNC_IOC_WAIT_ANY,
							 &event, 1, ME, 0));
		ASSERT_TRUE(poller_start(&poller, event));
		ASSERT_EQ(0, event_set(event, &prev));
		for (int i = 0; i < n; i++)
			ASSERT_EQ(0, waiter_join(&waiters[i]));
		ASSERT_EQ(POLLIN, poller_join(&poller));
		close(event);
	}
	close(dev);
}

/* An object that was polled serves waits in the same order as before. */
TEST_F(poll, waits_queue_before_pollers)
{
	struct waiter first, second;
	struct waiter *waiters[2] = { &first, &second };

	ASSERT_EQ(0, polled(self->object.fd));
	for (int i = 0; i < 2; i++)
		ASSERT_TRUE(waiter_start_blocked(waiters[i], self->dev,
						 NTSYNC_IOC_WAIT_ANY,
						 &self->object.fd, 1, 10 + i,
						 0));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(0, waiter_join(&first));
	/* It wakes all of them. */
	if (variant->kind != MANUAL_EVENT) {
		EXPECT_TRUE(waiter_blocks(&second));
		ASSERT_EQ(0, signal_again(self->object, 10));
	}
	EXPECT_EQ(0, waiter_join(&second));
	EXPECT_EQ(variant->kind == MANUAL_EVENT ? POLLIN : 0,
		  polled(self->object.fd));
}

TEST_F(poll, waits_for_all_are_served_before)
{
	struct poller poller;
	struct waiter waiter;
	int objs[2] = { self->object.fd, event_create(self->dev, 1, 1) };

	ASSERT_TRUE(poller_start(&poller, self->object.fd));
	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ALL, objs, 2, OTHER,
					 0));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(0, waiter_join(&waiter));
	if (variant->kind != MANUAL_EVENT) {
		EXPECT_EQ(0, polled(self->object.fd));
		EXPECT_FALSE(atomic_load(&poller.done));
		ASSERT_EQ(0, event_reset(objs[1], &(__u32){ 0 }));
		ASSERT_EQ(0, signal_again(self->object, OTHER));
	}
	EXPECT_EQ(POLLIN, poller_join(&poller));
}

/* A signal of a watched object takes another path. */
TEST_F(poll, watched_objects_are_polled_too)
{
	int objs[2] = { self->object.fd, event_create(self->dev, 1, 0) };
	__u32 prev;
	struct poller poller;
	struct waiter waiter;

	ASSERT_TRUE(poller_start(&poller, self->object.fd));
	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ALL, objs, 2, OTHER,
					 0));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(POLLIN, poller_join(&poller));
	EXPECT_FALSE(atomic_load(&waiter.done));
	ASSERT_EQ(0, event_set(objs[1], &prev));
	EXPECT_EQ(0, waiter_join(&waiter));
}

static int epoll_watch(int fd, __u32 events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	return epoll;
}

static int epoll_change(int epoll, int fd, __u32 events)
{
	struct epoll_event event = { .events = events };

	return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) ? -errno : 0;
}

static int epoll_count(int epoll)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, 0);
}

TEST_F(poll, level_triggered_epoll)
{
	int epoll = epoll_watch(self->object.fd, EPOLLIN);

	ASSERT_LE(0, epoll);
	EXPECT_EQ(0, epoll_count(epoll));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(1, epoll_count(epoll));
	EXPECT_EQ(1, epoll_count(epoll));
	ASSERT_EQ(0, unsignal(self->object, self->dev));
	EXPECT_EQ(0, epoll_count(epoll));
	close(epoll);
}

TEST_F(poll, edge_triggered_epoll)
{
	int epoll = epoll_watch(self->object.fd, EPOLLIN | EPOLLET);

	ASSERT_LE(0, epoll);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, epoll_count(epoll));
		ASSERT_EQ(0, i ? signal_again(self->object, ME) :
				 object_signal(self->object));
		EXPECT_EQ(1, epoll_count(epoll));
		EXPECT_EQ(0, epoll_count(epoll));
		ASSERT_EQ(0, unsignal(self->object, self->dev));
	}
	close(epoll);
}

/* An object that is signaled when it is added is watched all the same. */
TEST_F(poll, signaled_when_added_to_epoll)
{
	int epolls[3];

	ASSERT_EQ(0, object_signal(self->object));
	epolls[0] = epoll_watch(self->object.fd, EPOLLIN);
	epolls[1] = epoll_watch(self->object.fd, EPOLLIN | EPOLLET);
	epolls[2] = epoll_watch(epolls[0], EPOLLIN);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(1, epoll_count(epolls[i]));
	ASSERT_EQ(0, unsignal(self->object, self->dev));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, epoll_count(epolls[i]));
	ASSERT_EQ(0, signal_again(self->object, ME));
	for (int i = 2; i >= 0; i--) {
		EXPECT_EQ(1, epoll_count(epolls[i]));
		close(epolls[i]);
	}
}

/* Programs may add an object first, and say later what they wait for. */
TEST_F(poll, epoll_events_that_change)
{
	static const __u32 first[] = { 0, EPOLLOUT, EPOLLERR };

	ASSERT_EQ(0, object_signal(self->object));
	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		int epoll = epoll_watch(self->object.fd, first[i]);

		EXPECT_EQ(0, epoll_count(epoll));
		ASSERT_EQ(0, unsignal(self->object, self->dev));
		ASSERT_EQ(0, epoll_change(epoll, self->object.fd, EPOLLIN));
		EXPECT_EQ(0, epoll_count(epoll));
		ASSERT_EQ(0, signal_again(self->object, ME));
		EXPECT_EQ(1, epoll_count(epoll));
		ASSERT_EQ(0, epoll_change(epoll, self->object.fd, first[i]));
		EXPECT_EQ(0, epoll_count(epoll));
		close(epoll);
	}
}

/* The epoll outlives the object, and the object the device. */
TEST_F(poll, objects_leave_epoll_when_closed)
{
	int epoll = epoll_watch(self->object.fd, EPOLLIN);
	int extra = dup(self->object.fd);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(1, epoll_count(epoll));
	close(self->object.fd);
	EXPECT_EQ(1, epoll_count(epoll));
	close(extra);
	EXPECT_EQ(0, epoll_count(epoll));
	close(epoll);
	self->object.fd = -1;
}

struct ring {
	int fd;
	atomic_uint *completed;
	const struct io_uring_cqe *completion;
};

/* Makes a ring of one entry, with a request to poll.  Returns 0 or an errno, negative. */
static int ring_poll(struct ring *ring, int fd)
{
	struct io_uring_params params = { 0 };
	struct io_uring_sqe *sqe;
	char *sq, *cq;

	ring->fd = syscall(SYS_io_uring_setup, 1, &params);
	if (ring->fd < 0)
		return -errno;
	sq = mmap(NULL, params.sq_off.array + sizeof(__u32),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		   IORING_OFF_SQES);
	cq = mmap(NULL, params.cq_off.cqes + sizeof(*ring->completion),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
	if (sq == MAP_FAILED || sqe == MAP_FAILED || cq == MAP_FAILED)
		return -errno;
	ring->completed = (atomic_uint *)(cq + params.cq_off.tail);
	ring->completion = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
	*sqe = (struct io_uring_sqe) {
		.opcode = IORING_OP_POLL_ADD, .fd = fd, .poll_events = POLLIN,
	};
	*(__u32 *)(sq + params.sq_off.array) = 0;
	atomic_store((atomic_uint *)(sq + params.sq_off.tail), 1);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) != 1)
		return -errno;
	return 0;
}

/* How many requests have completed, after a wait for that many? */
static unsigned int ring_completed(struct ring *ring, unsigned int least)
{
	syscall(SYS_io_uring_enter, ring->fd, 0, least, IORING_ENTER_GETEVENTS, NULL, 0);
	return atomic_load(ring->completed);
}

TEST_F(poll, io_uring)
{
	struct ring ring;
	int ret = ring_poll(&ring, self->object.fd);

	if (ret == -ENOSYS || ret == -EPERM)
		SKIP(return, "this kernel has no io_uring");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(0U, ring_completed(&ring, 0));
	ASSERT_EQ(0, object_signal(self->object));
	EXPECT_EQ(1U, ring_completed(&ring, 1));
	EXPECT_EQ(POLLIN, ring.completion->res & POLLIN);
	close(ring.fd);
}

FIXTURE(polls) {
	int dev;
};

FIXTURE_SETUP(polls)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(polls)
{
	close(self->dev);
}

/* Pollers do not see a pulse. */
TEST_F(polls, pulses_are_not_seen)
{
	for (__u32 manual = 0; manual < 2; manual++) {
		int event = event_create(self->dev, manual, 0);
		int epoll = epoll_watch(event, EPOLLIN | EPOLLET);
		__u32 prev;

		ASSERT_LE(0, epoll);
		ASSERT_EQ(0, event_pulse(event, &prev));
		EXPECT_EQ(0, epoll_count(epoll));
		EXPECT_EQ(0, polled(event));
		close(epoll);
		close(event);
	}
}

static void pulse_a_polled_event(struct __test_metadata *_metadata, int dev,
				 int event, struct ring *ring,
				 unsigned long request, int n)
{
	int objs[2] = { event, event_create(dev, 1, 0) };
	struct waiter waiters[20];
	__u32 prev;

	for (int i = 0; i < n; i++)
		ASSERT_TRUE(waiter_start_blocked(&waiters[i], dev, request,
						 objs, 2, ME, 0));
	ASSERT_EQ(0, event_pulse(event, &prev));
	EXPECT_EQ(0U, ring_completed(ring, 0));
	/* This ends the waits, and a wait for all acquires the event if it is auto-reset. */
	ASSERT_EQ(0, event_set(objs[1], &prev));
	for (int i = 0; i <= n; i++)
		ASSERT_EQ(0, event_set(event, &prev));
	EXPECT_EQ(1U, ring_completed(ring, 1));
	for (int i = 0; i < n; i++)
		EXPECT_EQ(0, waiter_join(&waiters[i]));
	close(objs[1]);
}

/*
 * io_uring, unlike others, does not look at the object again when it is woken.  A pulse of an
 * event that is watched, or for which many wait, takes other paths.
 */
TEST_F(polls, pulses_do_not_wake_io_uring)
{
	static const struct {
		unsigned long request;
		int n;
	} waits[] = {
		{ NTSYNC_IOC_WAIT_ANY, 0 },
		{ NTSYNC_IOC_WAIT_ANY, 1 },
		{ NTSYNC_IOC_WAIT_ANY, 20 },
		{ NTSYNC_IOC_WAIT_ALL, 1 },
	};

	for (__u32 i = 0; i < 2 * ARRAY_SIZE(waits); i++) {
		int event = event_create(self->dev, i % 2, 0);
		struct ring ring;
		int ret = ring_poll(&ring, event);

		if (ret == -ENOSYS || ret == -EPERM)
			SKIP(return, "this kernel has no io_uring");
		ASSERT_EQ(0, ret);
		pulse_a_polled_event(_metadata, self->dev, event, &ring,
				     waits[i / 2].request, waits[i / 2].n);
		close(ring.fd);
		close(event);
	}
}

/* Only the signal of an object that was not signaled is an edge. */
TEST_F(polls, signaled_objects_have_no_edge)
{
	struct object objects[] = {
		{ SEM, sem_create(self->dev, 0, 2) },
		object_create(self->dev, AUTO_EVENT),
		object_create(self->dev, MANUAL_EVENT),
	};

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		int epoll = epoll_watch(objects[i].fd, EPOLLIN | EPOLLET);

		ASSERT_EQ(0, object_signal(objects[i]));
		EXPECT_EQ(1, epoll_count(epoll));
		ASSERT_EQ(0, object_signal(objects[i]));
		EXPECT_EQ(0, epoll_count(epoll));
		close(epoll);
	}
}

TEST_F(polls, release_by_nothing_is_no_edge)
{
	int sem = sem_create(self->dev, 1, 1);
	int epoll = epoll_watch(sem, EPOLLIN | EPOLLET);

	EXPECT_EQ(1, epoll_count(epoll));
	ASSERT_EQ(0, sem_release(sem, &(__u32){ 0 }));
	EXPECT_EQ(0, epoll_count(epoll));
	close(epoll);
}

/* A mutex whose owner is dead can be acquired. */
TEST_F(polls, kill_ends_poll)
{
	int mutex = mutex_create(self->dev, OTHER, 2);
	struct poller poller;

	ASSERT_TRUE(poller_start(&poller, mutex));
	ASSERT_EQ(0, mutex_kill(mutex, OTHER));
	EXPECT_EQ(POLLIN, poller_join(&poller));
}

/*
 * Two processes poll an object for the first time, at about the same time, and race to
 * allocate the memory that they share.
 */
#define FIRST_POLLS 900

struct first_polls {
	int events[FIRST_POLLS];
	int rounds;
	atomic_int arrived;
	atomic_int woken;
};

static void poll_each_first(struct first_polls *polls, unsigned int seed)
{
	for (int i = 0; i < polls->rounds; i++) {
		struct pollfd pollfd = {
			.fd = polls->events[i], .events = POLLIN,
		};

		meet(&polls->arrived, i, 3);
		spin(vary(&seed) % 100);
		poll(&pollfd, 1, -1);
		polls->woken++;
	}
	_exit(0);
}

TEST_F(polls, first_two_are_both_woken)
{
	struct first_polls *polls = mmap(NULL, sizeof(*polls),
					 PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[2];
	__u32 prev;

	ASSERT_NE(MAP_FAILED, polls);
	polls->rounds = work(FIRST_POLLS, 25);
	for (int i = 0; i < polls->rounds; i++) {
		polls->events[i] = event_create(self->dev, 1, 0);
		ASSERT_LE(0, polls->events[i]);
	}
	for (int i = 0; i < 2; i++) {
		pids[i] = fork_child();
		ASSERT_LE(0, pids[i]);
		if (!pids[i])
			poll_each_first(polls, i);
	}
	for (int i = 0; i < polls->rounds; i++) {
		meet(&polls->arrived, i, 3);
		/* Leaves the CPUs to them. */
		waiter_pause();
		ASSERT_TRUE(wait_until(thread_state(pids[0]) == 'S' &&
				       thread_state(pids[1]) == 'S'));
		ASSERT_EQ(0, event_set(polls->events[i], &prev));
		ASSERT_TRUE(wait_until(polls->woken == 2 * (i + 1)))
			TH_LOG("one sleeps on, in round %d", i);
	}
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, child_exit_code(pids[i]));
}

/* An owned mutex is not readable, although its owner may acquire it again. */
TEST_F(polls, owned_mutexes_are_not_readable)
{
	int mutex = mutex_create(self->dev, ME, UINT32_MAX);

	EXPECT_EQ(0, polled(mutex));
	ASSERT_EQ(0, mutex_unlock(mutex, ME, NULL));
	EXPECT_EQ(0, polled(mutex));
	ASSERT_EQ(0, mutex_kill(mutex, ME));
	EXPECT_EQ(POLLIN, polled(mutex));
}

TEST_F(polls, objects_beside_other_files)
{
	int event = event_create(self->dev, 0, 0), other = eventfd(0, 0);
	struct pollfd fds[2] = {
		{ .fd = event, .events = POLLIN },
		{ .fd = other, .events = POLLIN },
	};
	__u32 prev;

	ASSERT_EQ(0, eventfd_write(other, 1));
	EXPECT_EQ(1, poll(fds, 2, -1));
	EXPECT_EQ(0, fds[0].revents);
	EXPECT_EQ(POLLIN, fds[1].revents);
	ASSERT_EQ(0, event_set(event, &prev));
	EXPECT_EQ(2, poll(fds, 2, -1));
	EXPECT_EQ(POLLIN, fds[0].revents);
	close(other);
}

struct pair {
	int events[2];
	atomic_int pulses;
	atomic_bool stop;
};

static void pulse_and_set(struct pair *pair)
{
	unsigned int state = 1;
	__u32 prev;

	while (!pair->stop) {
		event_set(pair->events[0], &prev);
		spin(vary(&state) % 50);
		event_pulse(pair->events[1], &prev);
		pair->pulses++;
	}
	_exit(0);
}

/*
 * No signal is lost between the look of a poll and its sleep, and a pulse at that time does
 * not look like a signal.
 */
TEST_F(polls, no_signal_is_missed)
{
	struct pair *pair = mmap(NULL, sizeof(*pair), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	int polls = 0, most = work(5000, 125);
	struct pollfd fds[2];
	pid_t pid;

	ASSERT_NE(MAP_FAILED, pair);
	for (int i = 0; i < 2; i++) {
		pair->events[i] = event_create(self->dev, 0, 0);
		fds[i] = (struct pollfd){
			.fd = pair->events[i], .events = POLLIN,
		};
	}
	pid = fork_child();
	ASSERT_LE(0, pid);
	if (!pid)
		pulse_and_set(pair);
	for (; race_goes_on(begun, polls >= most && pair->pulses >= most); polls++) {
		ASSERT_EQ(1, poll(fds, 2, WAITER_LIMIT_SEC * 1000));
		ASSERT_EQ(POLLIN, fds[0].revents);
		ASSERT_EQ(0, wait_any(self->dev, pair->events, 1, ME, 0, 0, NULL));
	}
	pair->stop = true;
	EXPECT_EQ(0, child_exit_code(pid));
	say_done("%d polls, %d pulses", polls, pair->pulses);
	EXPECT_LE(most, polls);
	EXPECT_LE(most, pair->pulses);
}

TEST_HARNESS_MAIN
