/* SPDX-License-Identifier: MIT */
/* Any text as an Accept header: one of the offers is chosen, whatever follows the text's end, and a
 * range for anything that comes last takes none away. */
#include "core/report/negotiate.h"
#include "fuzz.h"

static const char *const offers[] = {
	"text/html", "application/json", "text/plain", "application/openmetrics-text"};
enum { N_OFFERS = sizeof(offers) / sizeof(offers[0]) };

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *header = malloc(size + 1);

	promise(header, "memory for the input");
	if (size > 0)
		memcpy(header, data, size);
	header[size] = '\0';
	for (size_t n = 1; n <= N_OFFERS; n++)
		promise(negotiate_choose(header, offers, n) < n, "an offer is chosen");
	promise(negotiate_choose(header, offers, N_OFFERS) ==
			negotiate_choose(header, offers, N_OFFERS),
		"the same header chooses the same");
	free(header);
	return 0;
}
