/* SPDX-License-Identifier: MIT */
/* Parses one configuration again and again, each time with another allocation failing. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config_parse.h"

/* glibc's own, below the functions that this program replaces for itself and for the libraries that
 * it uses. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *old);

static long n_allocations;
static long fail_from; /* the first to fail; 0: none */
static long fail_to;
static long n_live;

static bool fails(void)
{
	n_allocations++;
	if (fail_from == 0 || n_allocations < fail_from || n_allocations > fail_to)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	void *made = fails() ? NULL : __libc_malloc(size);

	n_live += made != NULL;
	return made;
}

void *calloc(size_t n, size_t size)
{
	void *made = fails() ? NULL : __libc_calloc(n, size);

	n_live += made != NULL;
	return made;
}

void *realloc(void *old, size_t size)
{
	void *made;

	if (size > 0 && fails())
		return NULL;
	made = __libc_realloc(old, size);
	n_live += (made != NULL) - (old != NULL && (made != NULL || size == 0));
	return made;
}

void free(void *old)
{
	n_live -= old != NULL;
	__libc_free(old);
}

static const char *lookup(const char *name, void *arg)
{
	(void)arg;
	return name;
}

/* One failing allocation, or all from one on. Prints what is wrong; returns how often the parser
 * said that memory was out, or -1. */
static long try_all(const char *text, long width)
{
	struct config config;
	struct config_mistakes found;

	for (long n = 1;; n++) {
		long before = n_live;
		bool good;

		n_allocations = 0;
		fail_from = n;
		fail_to = width > 0 ? n + width - 1 : 1000000000L;
		good = config_parse(text, strlen(text), lookup, NULL, &config, &found);
		fail_from = 0;
		if (good)
			config_fini(&config);
		if (n_live > before) {
			printf("allocation %ld: %ld blocks leaked\n", n, n_live - before);
			return -1;
		}
		if (good)
			return n - 1;
		for (size_t i = 0; i < found.n; i++) {
			if (strstr(found.list[i].text, "out of memory"))
				continue;
			printf("allocation %ld: %u: %s\n", n, found.list[i].line,
				found.list[i].text);
			return -1;
		}
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		long once = try_all(argv[i], 1);
		long for_ever = try_all(argv[i], 0);

		if (once < 0 || for_ever < 0)
			return EXIT_FAILURE;
		printf("%ld %ld\n", once, for_ever);
	}
	return EXIT_SUCCESS;
}
