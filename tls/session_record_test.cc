#include "tls/session_record.h"

#include <set>

#include <gtest/gtest.h>

#include "tls/session_binding.h"

namespace noded::tls {
namespace {

SessionRecord Sample() {
  SessionRecord record;
  record.role = Role::kServer;
  record.version = Version::kTls12;
  record.has_extended_master_secret = true;
  record.is_peer_verified = true;
  record.binding.fill(7);
  record.created = SessionMilliseconds(std::chrono::milliseconds(1'800'000'000'123));
  record.received = SessionMilliseconds(std::chrono::milliseconds(1'800'000'000'456));
  record.server_name = "b.example";
  record.peer = base::Slice::Copy("certificate");
  record.session = base::Slice::Copy("session");
  return record;
}

TEST(SessionRecordTest, ComesBackAsItWasWritten) {
  SessionRecord record = Sample();
  EXPECT_EQ(DecodeSessionRecord(Encode(record)), record);
  for (int bits = 0; bits < 16; ++bits) {
    record.role = (bits & 1) != 0 ? Role::kServer : Role::kClient;
    record.version = (bits & 2) != 0 ? Version::kTls12 : Version::kTls13;
    record.has_extended_master_secret = (bits & 4) != 0;
    record.is_peer_verified = (bits & 8) != 0;
    EXPECT_EQ(DecodeSessionRecord(Encode(record)), record) << bits;
  }
  record.peer = base::Slice::Copy(std::string(100'000, 'c'));
  EXPECT_EQ(DecodeSessionRecord(Encode(record)), record);
  EXPECT_EQ(DecodeSessionRecord(Encode(SessionRecord())), SessionRecord());
}

TEST(SessionRecordTest, HasALayoutThatStays) {
  std::string binding;
  for (int i = 0; i < 32; ++i) binding += "07";
  EXPECT_EQ(base::ToHex(Encode(Sample())),
            "010f" + binding + "000001a3185c507b" + "000001a3185c51c8" + "0009622e6578616d706c65" +
                "00000b6365727469666963617465" + "00000773657373696f6e");
}

TEST(SessionRecordTest, RefusesEveryCutAndWhatFollows) {
  const base::Slice content = Encode(Sample());
  for (size_t size = 0; size < content.size(); ++size) {
    EXPECT_FALSE(DecodeSessionRecord(content.view().first(size))) << size;
  }
  std::vector<uint8_t> longer = base::ToVector(content);
  longer.push_back(0);
  EXPECT_FALSE(DecodeSessionRecord(longer));
}

TEST(SessionRecordTest, RefusesOtherFormatsUnknownFlagsAndImpossibleTimes) {
  const std::vector<std::pair<size_t, uint8_t>> changes = {{0, 0},   {0, 2},    {1, 16},
                                                           {1, 255}, {34, 255}, {42, 255}};
  for (const auto& [at, value] : changes) {
    std::vector<uint8_t> bytes = base::ToVector(Encode(Sample()));
    bytes[at] = value;
    EXPECT_FALSE(DecodeSessionRecord(bytes)) << at;
  }
}

TEST(SessionBindingTest, IsTheSameForTheSameOptionsAndAnotherForEachThatMatters) {
  const base::ByteView own = base::AsBytes("own"), anchor = base::AsBytes("anchor");
  const SessionCertificates certificates = {{own}, {anchor}};
  std::set<SessionBinding> seen;
  auto bind = [&](Options options, Role role, SessionCertificates given) {
    return BindSessions(options, role, given);
  };
  Options base_options;
  base_options.trust.verify = Verify::kPeer;
  const SessionBinding binding = bind(base_options, Role::kServer, certificates);
  EXPECT_EQ(bind(base_options, Role::kServer, certificates), binding);
  seen.insert(binding);
  auto differs = [&](const SessionBinding& other) { return seen.insert(other).second; };
  EXPECT_TRUE(differs(bind(base_options, Role::kClient, certificates)));
  EXPECT_TRUE(differs(bind(base_options, Role::kServer, {{}, {anchor}})));
  EXPECT_TRUE(differs(bind(base_options, Role::kServer, {{own}, {}})));
  EXPECT_TRUE(differs(bind(base_options, Role::kServer, {{own, anchor}, {}})));
  EXPECT_TRUE(differs(bind(base_options, Role::kServer, {{anchor}, {own}})));
  EXPECT_TRUE(differs(BindToName(binding, "b.example")));
  EXPECT_TRUE(differs(BindToName(binding, "c.example")));

  const std::vector<void (*)(Options&)> changes = {
      [](Options& o) { o.trust.verify = Verify::kNone; },
      [](Options& o) { o.trust.fail_if_no_peer_cert = true; },
      [](Options& o) { o.trust.depth = 1; },
      [](Options& o) { o.trust.name_check = NameCheck::kDisabled; },
      [](Options& o) { o.trust.server_name = "x"; },
      [](Options& o) { o.revocation.check = CrlCheck::kPeer; },
      [](Options& o) { o.versions.tls12 = false; },
      [](Options& o) { o.versions.tls13 = false; },
      [](Options& o) { o.ciphers.suites = {"TLS_AES_128_GCM_SHA256"}; },
      [](Options& o) { o.ciphers.signature_algorithms = {"ed25519"}; },
      [](Options& o) { o.ciphers.certificate_signature_algorithms = {"ed25519"}; },
      [](Options& o) { o.alpn.protocols = {"erl"}; },
      [](Options& o) { o.psk.identity = "shop"; },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    Options options = base_options;
    changes[i](options);
    EXPECT_TRUE(differs(bind(options, Role::kServer, certificates))) << i;
  }
}

TEST(SessionBindingTest, FunctionsCannotBeComparedSoTheyTieToTheContext) {
  Options options;
  options.trust.verify_fun = [](const CertificateInfo&, const VerifyEvent&, std::any state) {
    return VerifyAnswer::Valid(std::move(state));
  };
  EXPECT_NE(BindSessions(options, Role::kClient, {}), BindSessions(options, Role::kClient, {}));
  options = {};
  options.trust.partial_chain = [](const std::vector<base::Slice>&) { return base::Slice(); };
  EXPECT_NE(BindSessions(options, Role::kClient, {}), BindSessions(options, Role::kClient, {}));
}

}  // namespace
}  // namespace noded::tls
