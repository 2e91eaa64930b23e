/* SPDX-License-Identifier: MIT */
/* Reading small files whole. */
#include "io/textfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words of a failed call: every errno's are static. */
static const char *words_of_errno(void)
{
	const char *words = strerrordesc_np(errno);

	return words ? words : "cannot be read";
}

/* What keeps the bytes from being a text; NULL: nothing. */
static const char *complaint_of(FILE *in, const char *text, size_t len)
{
	if (ferror(in))
		return words_of_errno();
	if (len == 0)
		return "is empty";
	if (len > TEXTFILE_MAX || memchr(text, '\0', len))
		return "is no text of at most 1 MiB";
	return NULL;
}

static char *read_whole(FILE *in, const char **why)
{
	char *text = malloc(TEXTFILE_MAX + 1);
	const char *complaint;
	char *fitting;
	size_t len;

	if (!text) {
		*why = "out of memory";
		return NULL;
	}
	len = fread(text, 1, TEXTFILE_MAX + 1, in);
	complaint = complaint_of(in, text, len);
	if (complaint) {
		*why = complaint;
		free(text);
		return NULL;
	}
	fitting = realloc(text, len + 1);
	text = fitting ? fitting : text;
	text[len] = '\0';
	return text;
}

char *textfile_read(const char *path, const char **why)
{
	FILE *in = fopen(path, "re");
	char *text;

	if (!in) {
		*why = words_of_errno();
		return NULL;
	}
	text = read_whole(in, why);
	fclose(in);
	return text;
}

char *textfile_read_word(const char *path, const char **why)
{
	char *text = textfile_read(path, why);
	size_t len;

	if (!text)
		return NULL;
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	if (len > 0 && strcspn(text, " \t\r\n") == len)
		return text;
	*why = len == 0 ? "is empty" : "is not one word";
	free(text);
	return NULL;
}
