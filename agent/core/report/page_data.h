/* SPDX-License-Identifier: MIT */
/* The page's sources, agent/page/, as the build embeds them. */
#ifndef WSB_PAGE_DATA_H
#define WSB_PAGE_DATA_H

/* Each ends in a NUL and holds none. */
extern const char page_html[]; /* with {{name}} where report_html.c writes something */
extern const char page_css[];
extern const char page_js[];

/* "sha256-...", as a Content-Security-Policy names page_css and page_js. */
extern const char page_css_hash[];
extern const char page_js_hash[];

#endif
