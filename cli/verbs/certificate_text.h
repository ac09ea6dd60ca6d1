// What certificates say, as text for people and as JSON for programs: `nodectl certs show` and the
// chain of `nodectl tls connect --info`.
//
//   ASSIGN_OR_RETURN(auto all, tls::DescribeCertificates(bytes));
//   out << CertificatesText(all, /*has_keys=*/true);
//   out << JsonText(CertificatesJson(all, true), 2);
//
// Functions of their arguments and the wall clock: any thread.
#pragma once

#include <string>
#include <vector>

#include "nlohmann/json.hpp"

#include "tls/describe.h"

namespace noded::cli {

// `has_keys`: whether there is something to be said about private keys (a file; not a peer's
// chain).
std::string CertificatesText(const std::vector<tls::CertificateDescription>& all, bool has_keys);
nlohmann::ordered_json CertificatesJson(const std::vector<tls::CertificateDescription>& all,
                                        bool has_keys);

// With a line end. Names may hold bytes that are not UTF-8: they are replaced. `indent` -1 is one
// line.
std::string JsonText(const nlohmann::ordered_json& value, int indent);

}  // namespace noded::cli
