/* SPDX-License-Identifier: MIT */
#include "io/certificate.h"

#include <gnutls/x509.h>
#include <string.h>

int64_t certificate_ends_s(const char *pem)
{
	gnutls_datum_t datum = {(unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem)};
	gnutls_x509_crt_t certificate;
	int64_t ends_s = -1;

	if (gnutls_x509_crt_init(&certificate) != GNUTLS_E_SUCCESS)
		return -1;
	if (gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_PEM) == GNUTLS_E_SUCCESS)
		ends_s = gnutls_x509_crt_get_expiration_time(certificate);
	gnutls_x509_crt_deinit(certificate);
	return ends_s;
}
