/* SPDX-License-Identifier: MIT */
#include "io/certificate.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "io/textfile.h"

static gnutls_datum_t datum_of(const char *pem)
{
	return (gnutls_datum_t){(unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem)};
}

int64_t certificate_ends_s(const char *pem)
{
	gnutls_datum_t datum = datum_of(pem);
	gnutls_x509_crt_t certificate;
	int64_t ends_s = -1;

	if (gnutls_x509_crt_init(&certificate) != GNUTLS_E_SUCCESS)
		return -1;
	if (gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_PEM) == GNUTLS_E_SUCCESS)
		ends_s = gnutls_x509_crt_get_expiration_time(certificate);
	gnutls_x509_crt_deinit(certificate);
	return ends_s;
}

/* GnuTLS would wait for a FIFO's other end. */
static bool is_text(const char *path, struct why *why)
{
	char *text = textfile_read(path, why);

	if (!text)
		return why_prepend(why, "%s: ", path);
	free(text);
	return true;
}

bool certificate_check_ca(const char *path, struct why *why)
{
	gnutls_certificate_credentials_t credentials;
	int n;

	if (!is_text(path, why))
		return false;
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

	if (!is_text(cert, why) || !is_text(key, why))
		return false;
	if (gnutls_certificate_allocate_credentials(&credentials) != GNUTLS_E_SUCCESS)
		return why_set(why, "out of memory");
	result = gnutls_certificate_set_x509_key_file(credentials, cert, key, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	return result >= 0 || why_set(why, "%s and %s do not belong together: %s", cert, key,
				      gnutls_strerror(result));
}

bool certificate_check_pem(const char *pem, struct why *why)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t datum = datum_of(pem);
	int result;

	if (gnutls_certificate_allocate_credentials(&credentials) != GNUTLS_E_SUCCESS)
		return why_set(why, "out of memory");
	result = gnutls_certificate_set_x509_key_mem(
		credentials, &datum, &datum, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	return result >= 0 || why_set(why, "certificate and key do not belong together: %s",
				      gnutls_strerror(result));
}

static void write_hex(const unsigned char *bytes, size_t n, char out[CERTIFICATE_PRINT_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

bool certificate_print(const char *pem, struct certificate_print *out, struct why *why)
{
	gnutls_datum_t datum = datum_of(pem);
	gnutls_x509_crt_t certificate;
	unsigned char hash[32];
	size_t size = sizeof(hash);
	int result;

	if (gnutls_x509_crt_init(&certificate) != GNUTLS_E_SUCCESS)
		return why_set(why, "out of memory");
	result = gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_PEM);
	if (result == GNUTLS_E_SUCCESS)
		result = gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA1, hash, &size);
	gnutls_x509_crt_deinit(certificate);
	if (result != GNUTLS_E_SUCCESS)
		return why_set(why, "no certificate in PEM: %s", gnutls_strerror(result));
	write_hex(hash, size, out->sha1);
	result = gnutls_hash_fast(GNUTLS_DIG_SHA256, pem, strlen(pem), hash);
	if (result != GNUTLS_E_SUCCESS)
		return why_set(why, "%s", gnutls_strerror(result));
	write_hex(hash, sizeof(hash), out->whole);
	return true;
}
