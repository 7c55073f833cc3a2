/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file behind a descriptor, inline.  fget() does the same with function
 * calls, which cost a wait more than everything else that it does with an object.
 * Kbuild checks that the kernel's descriptor tables are as this file reads them;
 * if not, or with NTSYNC_FGET=call, it defines NTSYNC_FGET_CALL.
 */
#ifndef NTSYNC_FGET_H
#define NTSYNC_FGET_H

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "compat.h"

#ifdef NTSYNC_FGET_CALL

/* All files are referred to. */
static __always_inline bool ntsync_fds_shared(void)
{
	return true;
}

static __always_inline struct file *ntsync_get_file(u32 fd, bool shared)
{
	return fget(fd);
}

#else

/* Could another thread close the caller's descriptors? */
static __always_inline bool ntsync_fds_shared(void)
{
	/* Pairs with the exit of the last other user, as in fdget(). */
	return atomic_read_acquire(&current->files->count) != 1;
}

static __always_inline struct file __rcu **ntsync_fd_slot(struct fdtable *fdt,
							  u32 fd)
{
	if (fd >= fdt->max_fds)
		return NULL;
	return &fdt->fd[array_index_nospec(fd, fdt->max_fds)];
}

/* The file of a descriptor that no one can close, so not to be put. */
static __always_inline struct file *ntsync_borrow_file(u32 fd)
{
	struct fdtable *fdt = rcu_dereference_raw(current->files->fdt);
	struct file __rcu **slot = ntsync_fd_slot(fdt, fd);

	return slot ? rcu_dereference_raw(*slot) : NULL;
}

/*
 * Memory of files is used again at once, so a file is only known to be the
 * descriptor's if it still is after it was referred to, in a table that is still
 * the process's.
 */
static __always_inline struct file *ntsync_fget(u32 fd)
{
	struct files_struct *files = current->files;
	struct file __rcu **slot;
	struct fdtable *fdt;
	struct file *file;
	bool stale;

	rcu_read_lock_sched();
	fdt = rcu_dereference_raw(files->fdt);
	slot = ntsync_fd_slot(fdt, fd);
	file = slot ? rcu_dereference_raw(*slot) : NULL;
	if (unlikely(!file || !ntsync_ref_file(file))) {
		rcu_read_unlock_sched();
		return fget(fd);
	}
	/*
	 * Reference first: the barrier in ntsync_ref_file() sees to it.  The table
	 * and what is in the file come after: pairs with the release in fd_install().
	 */
	stale = (__force struct file *)smp_load_acquire(slot) != file ||
		rcu_access_pointer(files->fdt) != fdt;
	rcu_read_unlock_sched();
	if (unlikely(stale)) {
		fput(file);
		return fget(fd);
	}
	return file;
}

/* @shared is what ntsync_fds_shared() said at the beginning of the call. */
static __always_inline struct file *ntsync_get_file(u32 fd, bool shared)
{
	return shared ? ntsync_fget(fd) : ntsync_borrow_file(fd);
}

#endif /* NTSYNC_FGET_CALL */

static __always_inline void ntsync_put_file(struct file *file, bool shared)
{
	if (shared && file)
		fput(file);
}

#endif /* NTSYNC_FGET_H */
