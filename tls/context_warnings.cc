#include "fmt/format.h"
#include "mbedtls/oid.h"

#include "tls/frozen.h"
#include "tls/x509.h"

namespace noded::tls {
namespace {

bool IsPast(const mbedtls_x509_time& time) { return mbedtls_x509_time_is_past(&time) != 0; }
bool IsFuture(const mbedtls_x509_time& time) { return mbedtls_x509_time_is_future(&time) != 0; }

void WarnOf(const OwnCertificate& certificate, Role role, std::vector<Warning>& warnings) {
  const char* name = RoleName(role);
  if (!certificate.open_key_file().empty()) {
    warnings.push_back(
        {fmt::format("any user may read the private key in {}", certificate.open_key_file()),
         "chmod 600 it"});
  }
  const mbedtls_x509_crt& own = certificate.chain();
  const std::string subject = NameText(own.subject);
  if (IsPast(own.valid_to)) {
    warnings.push_back({fmt::format("the {}'s certificate ({}) expired on {}: peers will refuse it",
                                    name, subject, TimeText(own.valid_to)),
                        "renew it"});
  } else if (IsFuture(own.valid_from)) {
    warnings.push_back({fmt::format("the {}'s certificate ({}) is valid only from {} on", name,
                                    subject, TimeText(own.valid_from)),
                        "check the clock of this machine"});
  }
  const bool fits =
      role == Role::kServer
          ? mbedtls_x509_crt_check_extended_key_usage(
                &own, MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0
          : mbedtls_x509_crt_check_extended_key_usage(
                &own, MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) == 0;
  if (fits) return;
  warnings.push_back(
      {fmt::format("the extended key usage of the {}'s certificate ({}) lacks {} authentication: "
                   "peers will refuse it",
                   name, subject, name),
       "issue it for serverAuth and clientAuth: a node is both"});
}

}  // namespace

std::vector<Warning> Context::Warnings() const {
  std::vector<Warning> warnings;
  const Credentials& credentials = *frozen_->credentials;
  const char* name = RoleName(role_);
  const bool is_server = role_ == Role::kServer;
  if (options_.traffic.keylog != nullptr) {
    warnings.push_back({fmt::format("{}_keylog writes down the keys of every connection: whoever "
                                    "reads them reads the traffic",
                                    name),
                        "remove it when you are done with looking"});
  }
  if (IsPskOnly(options_, role_)) {
    // Nobody has a certificate to check.
  } else if (verify() == Verify::kNone) {
    warnings.push_back(
        {is_server ? "the server asks nobody for a certificate (verify_none): whoever connects "
                     "gets in, as far as nothing above TLS, such as a cookie, stops them"
                   : "the client does not check the server's certificate (verify_none): the "
                     "connection is encrypted, but perhaps with an impostor",
         fmt::format("set {0}_verify verify_peer and {0}_cacertfile{1}", name,
                     is_server ? ", and server_fail_if_no_peer_cert true" : "")});
    if (credentials.anchors() != nullptr) {
      warnings.push_back({fmt::format("{}_cacertfile {} has no effect: nothing is verified", name,
                                      credentials.anchors_origin()),
                          fmt::format("add {}_verify verify_peer, or remove it", name)});
    }
  } else if (is_server && !options_.trust.fail_if_no_peer_cert) {
    warnings.push_back(
        {"the server lets clients in that send no certificate (fail_if_no_peer_cert is false)",
         "add server_fail_if_no_peer_cert true"});
  }
  if (options_.revocation.check != CrlCheck::kFalse) {
    if (verify() == Verify::kNone) {
      warnings.push_back({fmt::format("{}_crl_check looks nobody up: nothing is verified", name),
                          fmt::format("add {}_verify verify_peer, or remove it", name)});
    } else if (options_.revocation.cache == nullptr) {
      warnings.push_back({fmt::format("{}_crl_check has no lists to look in{}", name,
                                      options_.revocation.check == CrlCheck::kBestEffort
                                          ? ": it finds nobody revoked"
                                          : ": it refuses everybody"),
                          fmt::format("add {}_crl_cache", name)});
    }
  }
  if (verify() == Verify::kPeer && !is_server &&
      options_.trust.name_check == NameCheck::kDisabled) {
    warnings.push_back(
        {"the client accepts a trusted certificate of any host "
         "(server_name_indication is disabled)",
         "remove client_server_name_indication"});
  }
  if (credentials.unreadable_anchors() > 0) {
    warnings.push_back({fmt::format("{} certificates of {} cannot be used and are left out",
                                    credentials.unreadable_anchors(), credentials.anchors_origin()),
                        "remove them, or give certificates with RSA or NIST curve keys"});
  }
  for (const auto& own : credentials.own()) WarnOf(*own, role_, warnings);
  return warnings;
}

}  // namespace noded::tls
