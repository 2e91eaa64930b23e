/* SPDX-License-Identifier: MIT */
#include "io/certificate.h"

#include <gnutls/gnutls.h>
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

bool certificate_check_ca(const char *path, struct why *why)
{
	gnutls_certificate_credentials_t credentials;
	int n;

	if (gnutls_certificate_allocate_credentials(&credentials) != GNUTLS_E_SUCCESS)
		return why_set(why, "out of memory");
	n = gnutls_certificate_set_x509_trust_file(credentials, path, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	return n > 0 || why_set(why, "%s: no certificate in PEM: %s", path,
				n < 0 ? gnutls_strerror(n) : "there is none");
}

bool certificate_check_pair(const char *cert, const char *key, struct why *why)
{
	gnutls_certificate_credentials_t credentials;
	int result;

	if (gnutls_certificate_allocate_credentials(&credentials) != GNUTLS_E_SUCCESS)
		return why_set(why, "out of memory");
	result = gnutls_certificate_set_x509_key_file(credentials, cert, key, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	return result >= 0 || why_set(why, "%s and %s do not belong together: %s", cert, key,
				      gnutls_strerror(result));
}
