/* SPDX-License-Identifier: GPL-2.0 */
/* Memory and output, which end the program if they fail; words. */
#ifndef UTIL_H
#define UTIL_H

#include <err.h>
#include <stddef.h>
#include <stdio.h>

#define EXIT_TROUBLE	2

void *allocate(size_t size);
void *grow(void *array, size_t nr, size_t size);
void flush_output(void);

/* A new string, formatted as by printf(). */
#define format(...)							\
({									\
	char *_text;							\
									\
	if (asprintf(&_text, __VA_ARGS__) < 0)				\
		err(EXIT_TROUBLE, NULL);				\
	_text;								\
})

/* What a noun ends with after this number. */
#define plural(number)	((number) == 1 ? "" : "s")

void split_words(const char *text, void (*item)(const char *word, void *data),
		 void *data);

#endif /* UTIL_H */
