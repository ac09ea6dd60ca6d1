// Alerts of a TLS 1.3 handshake: under the keys that the peer reads with.
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/test_certs.h"
#include "tls/alert.h"
#include "tls/engine_pair.h"
#include "tls/raw_peer.h"

namespace noded::tls {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::TestCerts;

constexpr uint8_t kChangeCipherSpecType = 20, kAlertType = 21, kDataType = 23;
constexpr uint8_t kFatal = 2;

class EngineAlertsTest : public testing::Test {
 protected:
  EngineAlertsTest() {
    Only(server_, Version::kTls13);
    Only(client_, Version::kTls13);
  }

  TestCerts certs_;
  CertFiles a_ = certs_.Node("a@a.example");
  CertFiles b_ = certs_.Node("b@b.example");
  Options server_ = Mutual(certs_, b_, Role::kServer);
  Options client_ = Mutual(certs_, a_, Role::kClient);
};

TEST_F(EngineAlertsTest, AServerThatRefusesTheSecondFlightUsesTheApplicationKeys) {
  Side server(Make(server_, Role::kServer));
  RawPeer peer(Role::kClient, Version::kTls13, PemOf(a_));
  EXPECT_FALSE(peer.Shake());
  server.engine.Feed(base::ByteView(peer.TakeOutput()));
  server.Run();
  peer.Feed(server.engine.TakeOutput().ToSlice());
  // Its handshake is over: it reads with the application keys.
  ASSERT_TRUE(peer.Shake());
  std::vector<uint8_t> flight = peer.TakeOutput();
  flight.back() ^= 1;
  server.engine.Feed(base::ByteView(flight));
  server.Run();
  EXPECT_EQ(ReasonOf(server.error), "bad_record_mac") << server.error;
  peer.Feed(server.engine.TakeOutput().ToSlice());
  const auto record = peer.Read();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->type, kAlertType);
  EXPECT_EQ(record->content,
            (std::vector<uint8_t>{kFatal, static_cast<uint8_t>(Alert::kBadRecordMac)}));
}

TEST_F(EngineAlertsTest, AClientSaysChangeCipherSpecBeforeItsFirstSealedAlert) {
  Side client(Make(client_, Role::kClient), kHost);
  Side server(Make(server_, Role::kServer));
  client.Run();
  server.engine.Feed(client.engine.TakeOutput().ToSlice());
  server.Run();
  std::vector<uint8_t> flight = base::ToVector(server.engine.TakeOutput().ToSlice());
  flight.back() ^= 1;
  client.engine.Feed(base::ByteView(flight));
  client.Run();
  EXPECT_EQ(ReasonOf(client.error), "bad_record_mac") << client.error;
  const base::Slice said = client.engine.TakeOutput().ToSlice();
  ASSERT_GT(said.size(), 6u);
  EXPECT_EQ(said.data()[0], kChangeCipherSpecType);
  EXPECT_EQ(said.data()[6], kDataType);
  server.engine.Feed(said);
  server.Run();
  EXPECT_EQ(ReasonOf(server.error), "bad_record_mac") << server.error;
}

TEST_F(EngineAlertsTest, AClientSaysItOnce) {
  Pair pair(server_, client_);
  pair.client.Run();
  pair.server.engine.Feed(pair.client.engine.TakeOutput().ToSlice());
  pair.server.Run();
  pair.client.engine.Feed(pair.server.engine.TakeOutput().ToSlice());
  pair.client.Run();
  const base::Slice flight = pair.client.engine.TakeOutput().ToSlice();
  int said = 0;
  for (size_t at = 0; at + 5 <= flight.size();) {
    said += flight.data()[at] == kChangeCipherSpecType ? 1 : 0;
    at += 5 + (size_t{flight.data()[at + 3]} << 8) + flight.data()[at + 4];
  }
  EXPECT_EQ(said, 1);
  EXPECT_TRUE(pair.client.info) << pair.client.error;
}

}  // namespace
}  // namespace noded::tls
