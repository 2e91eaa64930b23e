/* SPDX-License-Identifier: MIT */
#include "core/base/nearest.h"

#include <string.h>

enum { WORD_MAX = 40 }; /* longer words have no neighbours here */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int folded(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* The optimal string alignment distance; both words are at most WORD_MAX long. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[WORD_MAX + 1][WORD_MAX + 1];
	size_t n_a = strlen(a);
	size_t n_b = strlen(b);

	for (unsigned i = 0; i <= n_a; i++)
		rows[i][0] = i;
	for (unsigned j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		for (size_t j = 1; j <= n_b; j++) {
			int x = folded(a[i - 1]);
			int y = folded(b[j - 1]);
			unsigned changed = rows[i - 1][j - 1] + (x == y ? 0 : 1);
			unsigned shifted = least(rows[i - 1][j], rows[i][j - 1]) + 1;

			rows[i][j] = least(changed, shifted);
			if (i > 1 && j > 1 && x == folded(b[j - 2]) && y == folded(a[i - 2]))
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	}
	return rows[n_a][n_b];
}

void nearest_init(struct nearest *nearest, const char *word)
{
	size_t len = strlen(word);

	*nearest = (struct nearest){
		.word = word,
		.distance = len <= WORD_MAX ? (unsigned)len / 3 + 2 : 0,
	};
	/* Two of three letters are no slip. */
	if (len == 3)
		nearest->distance = 2;
	/* Of a word of one or two letters nothing may be left but an exact match in other case. */
	if (len < 3)
		nearest->distance = 1;
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
	unsigned found;

	if (strlen(candidate) > WORD_MAX || nearest->distance == 0)
		return;
	found = distance(nearest->word, candidate);
	if (found >= nearest->distance)
		return;
	nearest->best = candidate;
	nearest->distance = found;
}
