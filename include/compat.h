/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What older kernels lack, as the newest one has it.  Each entry names the
 * kernel that made it needless.
 */
#ifndef NTSYNC_COMPAT_H
#define NTSYNC_COMPAT_H

#include <linux/file.h>

/* 6.12: the members of struct fd are no longer to be used. */
#ifndef fd_file
#define fd_file(f)	((f).file)
#endif

#endif /* NTSYNC_COMPAT_H */
