/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Put before ntsync.c for tests of threads that race.  Adds delays of random length before and
 * after what threads see of each other, and sleeps where the driver may sleep, so that threads
 * meet in places that are a few instructions long.  Also, the machine has been up for 400 days.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/time_namespace.h>

/* One in 32 is up to 100 microseconds long, one in 1024 up to 3 milliseconds. */
static noinline void jitter(void)
{
	u32 random = get_random_u32();

	if (!(random & 1023))
		udelay((random >> 16) % 3000);
	else if (!(random & 31))
		udelay((random >> 16) % 100);
}

/* One in 8 is so long that a thread can leave its wait and begin another. */
static noinline void jitter_longer(void)
{
	u32 random = get_random_u32();

	if (!(random & 7))
		udelay((random >> 16) % 3000);
}

static noinline void jitter_and_sleep(void)
{
	if (!(get_random_u32() & 15))
		usleep_range(100, 3000);
	else
		jitter();
}

static inline int jitter_plain_cmpxchg(atomic_t *v, int old, int new)
{
	return atomic_cmpxchg(v, old, new);
}

#undef cond_resched
#define cond_resched()	jitter_and_sleep()

#undef smp_load_acquire
/* As strong at the least. */
#define smp_load_acquire(word)						\
({									\
	typeof(word) _word = (word);					\
	typeof(*_word) _value = READ_ONCE(*_word);			\
									\
	smp_mb(); /* after the load */					\
	jitter();							\
	_value;								\
})

#undef smp_store_release
/* As strong at the least. */
#define smp_store_release(word, value)					\
do {									\
	jitter();							\
	smp_mb(); /* before the store */				\
	WRITE_ONCE(*(word), value);					\
	jitter();							\
} while (0)

#define atomic_read(v)							\
({									\
	int _read = atomic_read(v);					\
									\
	jitter();							\
	_read;								\
})

#undef atomic_cmpxchg
#define atomic_cmpxchg(v, old, new)					\
({									\
	int _found;							\
									\
	jitter();							\
	_found = jitter_plain_cmpxchg(v, old, new);			\
	jitter();							\
	_found;								\
})

#define spin_lock(lock)							\
do {									\
	jitter();							\
	spin_lock(lock);						\
} while (0)

#define spin_unlock(lock)						\
do {									\
	spin_unlock(lock);						\
	jitter();							\
} while (0)

#undef mutex_unlock
#define mutex_unlock(lock)						\
do {									\
	mutex_unlock(lock);						\
	jitter();							\
} while (0)

/* Also before the argument is read. */
#define wake_up_process(task)						\
({									\
	jitter();							\
	wake_up_process(task);						\
})

#define list_del_init(entry)						\
do {									\
	list_del_init(entry);						\
	jitter_longer();						\
} while (0)

/*
 * The clock of programs began 400 days later than that of the driver, as in a time namespace,
 * and the kernel's timers go by that of programs.
 */
#ifdef CONFIG_TIME_NS

#define JITTER_UPTIME	(400LL * 86400 * NSEC_PER_SEC)

#define ktime_get()	(ktime_get() + JITTER_UPTIME)

/* Of the namespace's offset, which is subtracted from a time of programs. */
#define timespec64_to_ktime(offset)	(timespec64_to_ktime(offset) - JITTER_UPTIME)

static inline int jitter_sleep_until(ktime_t *expires, u64 delta, enum hrtimer_mode mode,
				     clockid_t clock)
{
	ktime_t time;

	if (expires && clock == CLOCK_MONOTONIC) {
		time = *expires - JITTER_UPTIME;
		expires = &time;
	}
	return schedule_hrtimeout_range_clock(expires, delta, mode, clock);
}

#define schedule_hrtimeout_range_clock	jitter_sleep_until

#endif
