// The one random source and the start of mbedTLS's crypto, for all of tls/.
//
//   RETURN_IF_ERROR(StartCrypto());
//   mbedtls_pk_parse_key(..., Random, nullptr);
//
// Thread-safe. Errors: Internal, when the machine gives no entropy.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"

namespace noded::tls {

// What TLS 1.3 and Random() need; done once, however often it is called.
absl::Status StartCrypto();

// In the shape of mbedTLS's f_rng; the first argument is not used. Only after StartCrypto().
int Random(void*, unsigned char* output, size_t size);

// mbedTLS's own words for one of its error codes, with the code.
std::string MbedtlsErrorText(int code);

}  // namespace noded::tls
