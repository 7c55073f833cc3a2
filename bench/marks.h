/* SPDX-License-Identifier: GPL-2.0 */
/* The no-ops with which the guest tells the plugin lines/lines.c what it does. */
#ifndef NTSYNC_BENCH_MARKS_H
#define NTSYNC_BENCH_MARKS_H

#define MARK_BEGIN	0x6e740001	/* on this CPU the operations begin, */
#define MARK_OPERATION	0x6e740002	/* one more is made, */
#define MARK_END	0x6e740003	/* and they are over */
#define MARK_REPORT	0x6e740004	/* on all CPUs: print, and reset */

#define mark(number)	({ asm volatile("nopl %c0(%%rax)" : : "i" (number)); })

#endif /* NTSYNC_BENCH_MARKS_H */
