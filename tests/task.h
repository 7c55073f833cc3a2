/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes and scheduling classes for tests, waiting for conditions, and writing to files
 * of the kernel.
 */
#ifndef NTSYNC_TASK_H
#define NTSYNC_TASK_H

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "waiter.h"

/* Waits until @cond holds; false if it takes so long that something hangs. */
#define wait_until(cond)						\
({									\
	__u64 _limit = clock_ns(CLOCK_MONOTONIC) +			\
		       2 * WAITER_LIMIT_SEC * NSEC_PER_SEC;		\
	bool _held;							\
									\
	while (!(_held = (cond)) && clock_ns(CLOCK_MONOTONIC) < _limit)	\
		waiter_pause();						\
	_held;								\
})

/* Makes the caller SCHED_FIFO, or ordinary if @priority is 0.  Returns 0 or -errno. */
static inline int set_priority(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &param))
		return -errno;
	return 0;
}

/* For the caller and the threads that it creates.  Returns 0 or -errno. */
static inline int stay_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* Like waiter_start_blocked(), in a SCHED_FIFO thread if @priority is not 0. */
static inline bool waiter_start_priority(struct waiter *w, int priority,
					 int dev, unsigned long request,
					 const int *objs, __u32 count,
					 __u32 owner)
{
	int ret;

	/* A thread inherits the scheduling class of the thread that creates it. */
	if (priority && set_priority(priority))
		return false;
	ret = waiter_start(w, dev, request, objs, count, owner, 0);
	if (priority && set_priority(0))
		return false;
	return !ret && waiter_blocks(w);
}

static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * Makes root an ordinary user, whose threads waiter_blocks() can see nevertheless.  Returns 0 or
 * -errno.
 */
static inline int become_nobody(void)
{
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
	    prctl(PR_SET_DUMPABLE, 1))
		return -errno;
	return 0;
}

/* fork(), but the child does not outlive a test that fails. */
static inline pid_t fork_child(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* fork_child(), but the child shares the caller's descriptors. */
static inline pid_t clone_child(void)
{
	unsigned long flags = CLONE_FILES | SIGCHLD;
	pid_t pid;

#ifdef __s390__
	/* On s390 the stack comes before the flags. */
	pid = syscall(SYS_clone, 0, flags, 0, 0, 0);
#else
	pid = syscall(SYS_clone, flags, 0, 0, 0, 0);
#endif
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Waits for a child to exit.  Returns its wait status or -errno. */
static inline int child_status(pid_t pid)
{
	int status;

	if (!wait_until(waitpid(pid, &status, WNOHANG) != 0))
		return -ETIMEDOUT;
	return status;
}

/* Returns the exit code of a child, or a negative number if it did not exit. */
static inline int child_exit_code(pid_t pid)
{
	int status = child_status(pid);

	if (status < 0 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/*
 * Starts and ends some processes: the kernel gives them the stacks of those that have ended
 * before, so that what has pointers to a stack by mistake finds something else there.
 */
static inline void use_stacks_again(void)
{
	pid_t pids[16];

	for (int i = 0; i < 16; i++) {
		pids[i] = fork_child();
		if (!pids[i])
			_exit(0);
	}
	for (int i = 0; i < 16; i++)
		child_status(pids[i]);
}

static inline bool child_ended(pid_t pid)
{
	siginfo_t info = { };

	/* Does not reap the child: child_status() does. */
	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
	       info.si_pid == pid;
}

/*
 * Starts a process that makes the wait of @w: returns its pid once it sleeps (or has
 * already ended), or a negative number.
 */
static inline pid_t fork_waiter(struct waiter *w)
{
	pid_t pid = fork_child();

	if (!pid)
		_exit(ntsync_call(w->dev, w->request, &w->args) ? 1 : 0);
	if (pid > 0 && !wait_until(child_ended(pid) ||
				   thread_in_ioctl(pid, w->request, &w->args)))
		return -ETIMEDOUT;
	return pid;
}

/*
 * How much work a test does: @full, or @small if SMALL is in the environment, for runs
 * on many kernels or on slow ones.
 */
static inline int work(int full, int small)
{
	return getenv("SMALL") ? small : full;
}

/* Logs how much a test has done. */
#define say_done(fmt, ...) fprintf(stderr, "# done: " fmt "\n", ##__VA_ARGS__)

/* Delays by a few instructions, to vary the timing of threads that race. */
static inline void spin(int turns)
{
	for (int i = 0; i < turns; i++)
		atomic_signal_fence(memory_order_seq_cst);
}

/*
 * A meeting point from which @n threads continue at about the same time, unlike from a
 * barrier that sleeps.  @arrived counts over all rounds, from 0.  Sleeps only after a long
 * time, when the others seem to need this CPU.
 */
static inline void meet(atomic_int *arrived, int round, int n)
{
	const struct timespec moment = { .tv_nsec = 1 };
	__u64 begin = clock_ns(CLOCK_MONOTONIC);

	(*arrived)++;
	for (int spins = 0; *arrived < (round + 1) * n; spins++) {
		if (spins < 200)
			continue;
		if (clock_ns(CLOCK_MONOTONIC) - begin < 2 * NSEC_PER_MSEC)
			sched_yield();
		else
			nanosleep(&moment, NULL);
	}
}

/*
 * Continues a race until @done, a condition on the numbers of its outcomes, is true; false
 * if this takes so long that something must be broken.
 */
#define race_goes_on(begun, done)					\
	(!(done) && clock_ns(CLOCK_MONOTONIC) <				\
		    (begun) + 2 * WAITER_LIMIT_SEC * NSEC_PER_SEC)

/* Cheap and repeatable random numbers, with one state for each thread. */
static inline unsigned int vary(unsigned int *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

#endif /* NTSYNC_TASK_H */
