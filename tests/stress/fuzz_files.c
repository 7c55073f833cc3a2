// SPDX-License-Identifier: GPL-2.0
/* Other calls on descriptors: polling, reading fdinfo, opening and closing. */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include "fuzz.h"

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

void do_poll(struct fuzzer *f)
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

void do_select(struct fuzzer *f)
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

void do_epoll(struct fuzzer *f)
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

/* Reads fdinfo of our descriptors, or of another worker's. */
void do_fdinfo(struct fuzzer *f)
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

/* Opening and closing descriptors */

static void own_close(struct fuzzer *f, unsigned int slot)
{
	if (f->own[slot].kind != CLOSED)
		close(own_fd(f, slot));
	f->own[slot] = nothing;
}

/* Moves a new descriptor to one of our slots, or to a shared one. */
void keep(struct fuzzer *f, int fd, const struct known *known)
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
		/* EBUSY: another thread is about to open this number. */
		error = errno;
	}
	count(&f->shared->tally, DUP, error);
	close(fd);
}

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
		return eventfd(0, EFD_CLOEXEC);
	case 2:
		return memfd_create("other", MFD_CLOEXEC);
	case 3:
		return open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	default:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	}
}

void do_open(struct fuzzer *f)
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

/* Duplicates a descriptor, to our slots or to shared ones. */
void do_dup(struct fuzzer *f)
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

void do_close(struct fuzzer *f)
{
	int fd = pick_race_fd(f);

	if (one_in(&f->random, 2)) {
		own_close(f, below(&f->random, SLOTS));
		return;
	}
	count(&f->shared->tally, CLOSE, close(fd) ? errno : 0);
}
