/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linux 7.0 and newer need this in sparse, but sparse 0.6.4 of Debian 12 and 13 does not
 * have it.
 */
#define __typeof_unqual__ __typeof__
#define __builtin_strlen(string) (sizeof(string) - 1)
