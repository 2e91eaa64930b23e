/* SPDX-License-Identifier: MIT */
/* Small text files: tokens, certificates. */
#ifndef WSB_TEXTFILE_H
#define WSB_TEXTFILE_H

/* Of at most so many bytes. */
enum { TEXTFILE_MAX = 1024 * 1024 };

/* The whole file, which holds no NUL; the caller frees it. NULL, with *why set to static words,
 * when it cannot be read, is empty or is no such text. */
char *textfile_read(const char *path, const char **why);

/* The same of a file of one word, without the blanks at its end. */
char *textfile_read_word(const char *path, const char **why);

#endif
