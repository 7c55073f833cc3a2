/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Put before ntsync.c for tests/slow.  Adds a second where the driver calls cond_resched()
 * and before it reads a clock, 25 days whenever it reads the jiffies, 50 microseconds after
 * each load and store of an object's state and whenever it unlocks an object, and 100
 * milliseconds before it wakes a thread.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

static atomic64_t slow_looks;

#define get_jiffies_64()						\
	(get_jiffies_64() + atomic64_inc_return(&slow_looks) * 25 * 86400 * HZ)

#undef cond_resched
#define cond_resched()	msleep(1000)

#define ktime_get()		(msleep(1000), ktime_get())
#define ktime_get_real()	(msleep(1000), ktime_get_real())

#define SLOW_MOMENT	50

#undef smp_store_release
/* As strong at the least. */
#define smp_store_release(word, value)					\
do {									\
	smp_mb(); /* before the store */				\
	WRITE_ONCE(*(word), value);					\
	udelay(SLOW_MOMENT);						\
} while (0)

#undef smp_load_acquire
/* As strong at the least. */
#define smp_load_acquire(word)						\
({									\
	typeof(word) _word = (word);					\
	typeof(*_word) _value = READ_ONCE(*_word);			\
									\
	smp_mb(); /* after the load */					\
	udelay(SLOW_MOMENT);						\
	_value;								\
})

#define spin_unlock(lock)						\
do {									\
	spin_unlock(lock);						\
	udelay(SLOW_MOMENT);						\
} while (0)

/* Also before the argument is read. */
#define wake_up_process(task)						\
({									\
	mdelay(100);							\
	wake_up_process(task);						\
})
