// What `nodectl certs init` makes is all that two OTP nodes need to meet over TLS.
#include "cli/verbs/certs.h"

#include <sstream>

#include <gtest/gtest.h>

#include "tests/testlib/otp_node.h"
#include "tests/testlib/temp_dir.h"

namespace noded::cli {
namespace {

using testlib::OtpEpmd;
using testlib::OtpNode;
using testlib::TempDir;

// A folder whose name is all that a path in an option file may hold.
constexpr char kFolder[] = "my \"certs\" \\ caf\xc3\xa9";

TEST(CertsTest, OtpNodesMeetWithTheOptionFilesOfCertsInit) {
  TempDir dir;
  const std::string folder = dir.File(kFolder);
  for (const std::string host : {"127.0.0.1", "localhost", "::1"}) {
    std::ostringstream out;
    const std::string shop_name = "shop@" + host, till_name = "till@" + host;
    const absl::Status made = CertsInit(folder, {shop_name, till_name}, out);
    ASSERT_TRUE(made.ok()) << made;
    const std::string proto = host == "::1" ? "inet6_tls" : "inet_tls";
    OtpEpmd epmd;
    OtpNode shop({.name = shop_name,
                  .proto_dist = proto,
                  .ssl_dist_optfile = folder + "/ssl_dist." + shop_name + ".conf",
                  .epmd_port = epmd.port()});
    OtpNode till({.name = till_name,
                  .proto_dist = proto,
                  .ssl_dist_optfile = folder + "/ssl_dist." + till_name + ".conf",
                  .epmd_port = epmd.port()});
    const absl::Status ready = shop.WaitReady();
    ASSERT_TRUE(ready.ok()) << ready;
    EXPECT_EQ(till.Eval("net_adm:ping('" + shop_name + "')"), "pong") << shop.Log() << till.Log();
  }
}

}  // namespace
}  // namespace noded::cli
