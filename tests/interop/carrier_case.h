// What the interop tests run over: each carrier, and for the first TLS carrier each version.
//
//   INSTANTIATE_TEST_SUITE_P(Carriers, MeetingTest, testing::ValuesIn(AllCarriers()), CarrierName);
//   const NodedOptions till = OptionsFor(GetParam(), certs, "till@" + GetParam().host);
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/testlib/noded.h"
#include "tests/testlib/test_certs.h"

namespace noded::testlib {

struct CarrierCase {
  std::string name;  // of the case
  std::string proto_dist;
  std::string host;  // of every node's name
  // Of both roles. Without: OTP 25 speaks TLS 1.2.
  std::vector<std::string> tls_options = {};
  std::string tls_version = {};  // what must come of it

  bool is_tls() const { return !tls_version.empty(); }
  std::string Node(const std::string& name) const { return name + "@" + host; }
};

inline std::vector<CarrierCase> AllCarriers() {
  const std::string v4 = "127.0.0.1", v6 = "::1";
  const std::vector<std::string> only_12 = {"{versions,['tlsv1.2']}"};
  const std::vector<std::string> only_13 = {"{versions,['tlsv1.3']}"};
  return {
      {"InetTcp", "inet_tcp", v4},
      {"Inet6Tcp", "inet6_tcp", v6},
      {"InetTls12", "inet_tls", v4, only_12, "tlsv1.2"},
      {"InetTls13", "inet_tls", v4, only_13, "tlsv1.3"},
      {"Inet6Tls", "inet6_tls", v6, only_13, "tlsv1.3"},
  };
}

inline void PrintTo(const CarrierCase& carrier, std::ostream* out) { *out << carrier.name; }

inline std::string CarrierName(const testing::TestParamInfo<CarrierCase>& info) {
  return info.param.name;
}

// Flags of a node with this full name; over TLS it proves who it is and insists on proof.
inline NodedOptions OptionsFor(const CarrierCase& carrier, TestCerts& certs,
                               const std::string& name) {
  NodedOptions options{.name = name, .proto_dist = carrier.proto_dist};
  if (carrier.is_tls()) {
    options.ssl_dist_optfile =
        certs.OptFile(certs.Node(name), carrier.tls_options, carrier.tls_options);
  }
  return options;
}

}  // namespace noded::testlib
