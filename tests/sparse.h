/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Linux 7.0 and newer expect of sparse, and sparse 0.6.4, which Debian 12
 * and 13 have, cannot do.
 */
#define __typeof_unqual__ __typeof__
#define __builtin_strlen(string) (sizeof(string) - 1)
