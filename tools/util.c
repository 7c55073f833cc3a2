// SPDX-License-Identifier: GPL-2.0
/* Memory and output, which end the program if they fail; words. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include "util.h"

/* Zeroed. */
void *allocate(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		err(EXIT_TROUBLE, NULL);
	return memory;
}

/* Makes room in an array of @nr elements for one more. */
void *grow(void *array, size_t nr, size_t size)
{
	/* There is room up to the next power of two. */
	if (nr & (nr - 1))
		return array;
	array = reallocarray(array, nr ? 2 * nr : 1, size);
	if (!array)
		err(EXIT_TROUBLE, NULL);
	return array;
}

/* A list that is cut off must not look complete. */
void flush_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_TROUBLE, "cannot print");
}

/* Calls @item for each of the words between commas. */
void split_words(const char *text, void (*item)(const char *word, void *data),
		 void *data)
{
	char *copy = format("%s", text), *rest = copy;
	const char *word;

	while ((word = strsep(&rest, ",")))
		item(word, data);
	free(copy);
}
