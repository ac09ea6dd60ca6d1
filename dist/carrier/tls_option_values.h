// Values of TLS options, as Erlang writes them, to the fields of tls::Options. Private to
// tls_option_table.h.
//
//   RETURN_IF_ERROR(TakeBool(call, value, options.ciphers.honor_cipher_order));
//
// Functions of their arguments: any thread. Errors: InvalidArgument, naming option, place, what was
// found and what is expected; the field is then as it was. Source: OTP, ssl(3).
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "base/bytes.h"
#include "base/secret.h"
#include "dist/carrier/tls_option_table.h"

namespace noded::dist {

// A function that the program has registered (tls/function_registry.h).
struct FunctionName {
  std::string text;  // "module:function"
  Term state;
};
struct FunctionForm {
  uint8_t arity;
  bool has_state;
};
// fun M:F/Arity or {M, F}; with a state {fun M:F/Arity, State} or {M, F, State}.
absl::Status TakeFunction(const TlsOptionCall& call, const Term& value, FunctionForm form,
                          FunctionName& name);

absl::Status TakeBool(const TlsOptionCall& call, const Term& value, bool& field);
// Text without zero bytes, not empty.
absl::Status TakePath(const TlsOptionCall& call, const Term& value, std::string& field);
// One DER or PEM binary, or a list of them.
absl::Status TakeCertificates(const TlsOptionCall& call, const Term& value,
                              std::vector<base::Slice>& field);
// {KeyType, Der}.
absl::Status TakeKey(const TlsOptionCall& call, const Term& value, base::Secret& field);
// One text with names set apart by ':' or ',', or a list of names; IANA's or OpenSSL's.
absl::Status TakeCiphers(const TlsOptionCall& call, const Term& value,
                         std::vector<std::string>& field);
// Atoms: secp256r1, x25519, ffdhe2048, ...
absl::Status TakeGroups(const TlsOptionCall& call, const Term& value,
                        std::vector<std::string>& field);
// Atoms, or {Hash, Signature} as for TLS 1.2.
absl::Status TakeSignatureAlgorithms(const TlsOptionCall& call, const Term& value,
                                     std::vector<std::string>& field);

}  // namespace noded::dist
