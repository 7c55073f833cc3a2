/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Put before ntsync.c for tests/slow/fdinfo.c: wherever the driver offers to give way
 * a second passes, and whenever it asks for the time 25 more days have.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched.h>

static atomic64_t slow_looks;

#define get_jiffies_64()						\
	(get_jiffies_64() + atomic64_inc_return(&slow_looks) * 25 * 86400 * HZ)

#undef cond_resched
#define cond_resched()	msleep(1000)

