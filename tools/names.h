/* SPDX-License-Identifier: GPL-2.0 */
/* Names: offers the names that the user's file gives to objects. */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>

void names_read(const char *path);
bool any_names(void);

/* NULL if the object has none. */
const char *name_of(unsigned int instance, unsigned int object);

#endif /* NAMES_H */
