/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What older kernels lack, as the newest one has it.  Each entry names the
 * kernel that made it needless.
 */
#ifndef NTSYNC_COMPAT_H
#define NTSYNC_COMPAT_H

#include <linux/file.h>
#include <linux/spinlock.h>

/* 6.12: the members of struct fd are no longer to be used. */
#ifndef fd_file
#define fd_file(f)	((f).file)
#endif

/* 7.0: sparse, which loses count in spin_trylock(), counts no locks. */
#ifdef __CHECKER__
int ntsync_uncounted_trylock(spinlock_t *lock);
#define spin_trylock(lock)	ntsync_uncounted_trylock(lock)
#endif

#endif /* NTSYNC_COMPAT_H */
