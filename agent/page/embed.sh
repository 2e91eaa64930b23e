#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes C source with the page's parts as bytes, and what a Content-Security-Policy calls its
# script and style: the base64 of their SHA-256.
#
#   embed.sh page.html page.css page.js > page_data.c
set -eu

bytes() {
	printf 'const char %s[] = {\n' "$1"
	od -An -v -tx1 "$2" | sed 's/ \(..\)/0x\1,/g'
	printf '0x00};\n'
}

hash() {
	sum=$(sha256sum "$2" | cut -c 1-64 | tr a-f A-F)
	printf 'const char %s[] = "sha256-%s";\n' "$1" "$(printf %s "$sum" | basenc --base16 -d | base64)"
}

echo '/* Made by agent/page/embed.sh. */'
echo '#include "core/report/page_data.h"'
bytes page_html "$1"
bytes page_css "$2"
bytes page_js "$3"
hash page_css_hash "$2"
hash page_js_hash "$3"
