// `nodectl certs`: a development authority with node certificates, and what a certificate says.
//
//   RETURN_IF_ERROR(CertsInit("certs", {"a@127.0.0.1", "b@shop.example"}, std::cout));
//   RETURN_IF_ERROR(CertsShow("certs/a@127.0.0.1.pem", /*json=*/false, std::cout));
//
// Blocks on the disk. Errors: InvalidArgument (a node name, a file that holds no certificate, a
// folder with half an authority), NotFound and PermissionDenied (of files), each with the mend.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace noded::cli {

// Makes in `folder` (created when missing), and reports on `out`:
//   ca.pem, ca-key.pem        the authority, valid for ten years
//   NODE.pem, NODE-key.pem    for each node NAME@HOST, valid for two years; the SANs are of HOST
//   ssl_dist.NODE.conf        an option file for -ssl_dist_optfile, of noded and of erl
// Keys have mode 0600. What is there stays: a second call adds nodes under the same authority.
absl::Status CertsInit(const std::string& folder, const std::vector<std::string>& nodes,
                       std::ostream& out);

// Every certificate of the PEM or DER file, as text or as a JSON array.
absl::Status CertsShow(const std::string& file, bool json, std::ostream& out);

}  // namespace noded::cli
