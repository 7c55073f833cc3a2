/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What older kernels lack, as the newest one has it.  Each entry names the
 * kernel that made it unnecessary.
 */
#ifndef NTSYNC_COMPAT_H
#define NTSYNC_COMPAT_H

#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/nsproxy.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/time_namespace.h>

/*
 * 6.13: the count of a file is a file_ref_t.  Takes a reference unless the last
 * one is gone; a full barrier if it does.
 */
static __always_inline bool ntsync_ref_file(struct file *file)
{
#ifdef _LINUX_FILE_REF_H
	return file_ref_get(&file->f_ref);
#else
	return atomic_long_inc_not_zero(&file->f_count);
#endif
}

/* 6.9, and later releases of 5.10, 5.15, 6.1 and 6.6: variables that nothing need set first. */
#ifndef __uninitialized
#if __has_attribute(__uninitialized__)
#define __uninitialized	__attribute__((__uninitialized__))
#else
#define __uninitialized
#endif
#endif

/* 6.1: tasks that sleep so are frozen where they are, without a signal. */
#ifndef TASK_FREEZABLE
#define TASK_FREEZABLE	0
#endif

/*
 * A time of the caller's monotonic clock as the host's clock shows it.  Older
 * kernels do not let modules call timens_ktime_to_host(), which does this too.
 */
static inline ktime_t ntsync_monotonic_to_host(ktime_t time)
{
#ifdef CONFIG_TIME_NS
	const struct time_namespace *ns = current->nsproxy->time_ns;
	ktime_t offset = timespec64_to_ktime(ns->offsets.monotonic);
	ktime_t host;

	if (offset >= time)
		return 0;
	if (check_sub_overflow(time, offset, &host))
		return KTIME_MAX;
	return host;
#else
	return time;
#endif
}

/*
 * 6.0, and later releases of 5.10 and 5.15: modules may call it.  Sleeps until a time,
 * or for ever if @expires is NULL.  Returns 0 if the time has passed, -EINTR if the
 * task was woken before.
 */
#ifdef NTSYNC_HRTIMEOUT_NOT_EXPORTED
static inline int ntsync_schedule_hrtimeout(ktime_t *expires, u64 delta,
					    enum hrtimer_mode mode,
					    clockid_t clock)
{
	struct hrtimer_sleeper sleeper;

	if (!expires) {
		schedule();
		return -EINTR;
	}
	hrtimer_init_sleeper_on_stack(&sleeper, clock, mode);
	hrtimer_set_expires_range_ns(&sleeper.timer, *expires, delta);
	hrtimer_sleeper_start_expires(&sleeper, mode);
	/* The timer sets it to NULL, then wakes the task. */
	if (sleeper.task)
		schedule();
	hrtimer_cancel(&sleeper.timer);
	destroy_hrtimer_on_stack(&sleeper.timer);
	return sleeper.task ? -EINTR : 0;
}

#define schedule_hrtimeout_range_clock	ntsync_schedule_hrtimeout
#endif

/* 5.13: list_sort() does not change the nodes that it compares. */
#ifdef NTSYNC_LIST_SORT_NOT_CONST
#define ntsync_sorted
#else
#define ntsync_sorted	const
#endif

#ifdef __CHECKER__

/* 7.0: sparse, which cannot follow a lock that may be taken, counts none. */
int ntsync_uncounted_trylock(spinlock_t *lock);
#undef spin_trylock
#define spin_trylock(lock)	ntsync_uncounted_trylock(lock)

/* 6.12: sparse is told of the spinlocks of PREEMPT_RT. */
#if defined(CONFIG_PREEMPT_RT) && defined(NTSYNC_RT_LOCKS_UNCOUNTED)
#undef __acquire
#define __acquire(lock)	((void)0)
#undef __release
#define __release(lock)	((void)0)
#undef __acquires
#define __acquires(lock)
#undef __releases
#define __releases(lock)
#endif

#endif /* __CHECKER__ */

#endif /* NTSYNC_COMPAT_H */
