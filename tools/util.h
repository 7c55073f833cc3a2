/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that is there and output that gets out, or the end of the program; words. */
#ifndef UTIL_H
#define UTIL_H

#include <err.h>
#include <stddef.h>
#include <stdio.h>

#define EXIT_TROUBLE	2

void *allocate(size_t size);
void *grow(void *array, size_t nr, size_t size);
void flush_output(void);

/* A text of its own, made as by printf(). */
#define format(...)							\
({									\
	char *_text;							\
									\
	if (asprintf(&_text, __VA_ARGS__) < 0)				\
		err(EXIT_TROUBLE, NULL);				\
	_text;								\
})

void split_words(const char *text, void (*item)(const char *word, void *data),
		 void *data);

#endif /* UTIL_H */
