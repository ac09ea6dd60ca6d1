// Ends, half ends, records that carry nothing, idle buffers.
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/test_certs.h"
#include "tls/engine_pair.h"
#include "tls/raw_peer.h"

namespace noded::tls {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::TestCerts;

constexpr uint8_t kAlertType = 21;
constexpr uint8_t kDataType = 23;

class EngineCloseTest : public testing::TestWithParam<Version> {
 protected:
  EngineCloseTest() {
    Only(server_, GetParam());
    Only(client_, GetParam());
  }

  // An engine as server before a peer that says what it likes.
  struct Raw {
    explicit Raw(EngineCloseTest& test)
        : engine(Make(test.server_, Role::kServer)),
          peer(Role::kClient, GetParam(), PemOf(test.a_)) {
      EXPECT_TRUE(Meet(peer, engine)) << engine.error;
    }
    void Exchange() { tls::Exchange(peer, engine); }
    void Say(uint8_t type, std::vector<uint8_t> content) { peer.SendRecord(type, content); }

    Side engine;
    RawPeer peer;
  };

  TestCerts certs_;
  CertFiles a_ = certs_.Node("a@a.example");
  CertFiles b_ = certs_.Node("b@b.example");
  Options server_ = Mutual(certs_, b_, Role::kServer);
  Options client_ = Mutual(certs_, a_, Role::kClient);
};

INSTANTIATE_TEST_SUITE_P(Versions, EngineCloseTest,
                         testing::Values(Version::kTls12, Version::kTls13), [](const auto& info) {
                           return info.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(EngineCloseTest, EitherSideMayCloseFirstAndGoOnReading) {
  for (bool by_server : {false, true}) {
    Pair pair(server_, client_);
    Carry(pair.client, pair.server);
    Side& first = by_server ? pair.server : pair.client;
    Side& second = by_server ? pair.client : pair.server;
    Send(first, "goodbye");
    first.engine.Close();
    first.engine.Close();
    base::Buffer late;
    late.Append("late");
    EXPECT_FALSE(first.engine.Write(std::move(late)).ok());
    Carry(pair.client, pair.server);
    EXPECT_EQ(second.received, "goodbye");
    EXPECT_TRUE(second.is_closed);
    for (int i = 0; i < 3; ++i) {
      Send(second, "more;");
      Carry(pair.client, pair.server);
    }
    EXPECT_EQ(first.received, "more;more;more;") << first.error;
    EXPECT_FALSE(first.is_closed);
    second.engine.Close();
    Carry(pair.client, pair.server);
    EXPECT_TRUE(first.is_closed) << first.error;
    second.engine.FeedEnd();
    second.Run();
    EXPECT_TRUE(second.error.ok()) << second.error;
  }
}

TEST_P(EngineCloseTest, WhatComesAfterCloseNotifyIsNotRead) {
  Raw raw(*this);
  raw.Say(kAlertType, {1, 0});
  raw.Say(kDataType, {'x'});
  raw.Exchange();
  EXPECT_TRUE(raw.engine.is_closed);
  EXPECT_EQ(raw.engine.received, "");
  EXPECT_TRUE(raw.engine.error.ok()) << raw.engine.error;
}

TEST_P(EngineCloseTest, AnEndWithinARecordIsNoCleanEnd) {
  Pair pair(server_, client_);
  Carry(pair.client, pair.server);
  Send(pair.client, "cut off");
  const base::Slice bytes = pair.client.engine.TakeOutput().ToSlice();
  pair.server.engine.Feed(bytes.Sub(0, bytes.size() - 1));
  pair.server.engine.FeedEnd();
  pair.server.Run();
  EXPECT_EQ(pair.server.error.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(pair.server.received, "");
}

TEST_P(EngineCloseTest, EmptyRecordsAndWarningsAreLimitedInARow) {
  const size_t limit = base::Limits().max_tls_idle_records;
  struct Case {
    uint8_t type;
    std::vector<uint8_t> content;
  };
  for (const Case& one : {Case{kDataType, {}}, {kAlertType, {1, 90}}}) {
    Raw raw(*this);
    for (size_t i = 0; i < limit; ++i) raw.Say(one.type, one.content);
    raw.Say(kDataType, {'x'});
    for (size_t i = 0; i < limit; ++i) raw.Say(one.type, one.content);
    raw.Say(kDataType, {'y'});
    raw.Exchange();
    EXPECT_EQ(raw.engine.received, "xy") << raw.engine.error;
    for (size_t i = 0; i <= limit; ++i) raw.Say(one.type, one.content);
    raw.Exchange();
    EXPECT_EQ(raw.engine.error.code(), absl::StatusCode::kResourceExhausted) << raw.engine.error;
  }
}

TEST_P(EngineCloseTest, AFatalAlertEndsTheConnectionWithItsName) {
  Raw raw(*this);
  raw.Say(kAlertType, {2, 49});
  raw.Exchange();
  EXPECT_EQ(ReasonOf(raw.engine.error), "access_denied") << raw.engine.error;
}

TEST_P(EngineCloseTest, RecordsOfAnUnknownTypeOrTooLongAreRefusedAndThePeerIsTold) {
  struct Case {
    std::vector<uint8_t> bytes;
    const char* reason;
  };
  const char* const bad_mac = "bad_record_mac";
  const bool is_13 = GetParam() == Version::kTls13;
  const Case cases[] = {
      {{99, 3, 3, 0, 1, 0}, "unexpected_message"},                              // no such type
      {{23, 3, 3, 0x7f, 0xff}, "record_overflow"},                              // too long
      {{23, 9, 9, 0, 1, 0}, "unexpected_message"},                              // no such version
      {{20, 3, 3, 0, 2, 1, 1}, is_13 ? "unexpected_message" : bad_mac},         // two bytes
      {{23, 3,  3,  0,  20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,  //
        16, 17, 18, 19, 20},
       bad_mac},  // not sealed
  };
  for (const Case& one : cases) {
    Raw raw(*this);
    raw.engine.engine.Feed(base::ByteView(one.bytes));
    raw.engine.Run();
    EXPECT_EQ(ReasonOf(raw.engine.error), one.reason) << raw.engine.error;
    EXPECT_TRUE(raw.engine.engine.has_output()) << one.reason;
  }
}

TEST_P(EngineCloseTest, ALongRecordIsTakenWholeAndOneLongerIsNot) {
  Raw raw(*this);
  raw.Say(kDataType, std::vector<uint8_t>(16384, 'x'));
  raw.Exchange();
  EXPECT_EQ(raw.engine.received.size(), 16384u) << raw.engine.error;
}

TEST_P(EngineCloseTest, AClientsFragmentLengthIsHonoured) {
  client_.traffic.max_fragment_length = 1024;
  Pair pair(server_, client_);
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.info) << pair.client.error;
  const std::string big(10'000, 'x');
  Send(pair.server, big);
  const std::string bytes = pair.server.engine.TakeOutput().ToString();
  size_t longest = 0;
  for (size_t at = 0; at + 5 <= bytes.size();) {
    const size_t size =
        (static_cast<uint8_t>(bytes[at + 3]) << 8) | static_cast<uint8_t>(bytes[at + 4]);
    longest = std::max(longest, size);
    at += 5 + size;
  }
  // TLS 1.3 has another extension for it (RFC 8449); mbedTLS answers this one in 1.2 only.
  if (GetParam() == Version::kTls12) {
    EXPECT_LT(longest, 1024u + 64u);
  } else {
    EXPECT_GT(longest, 8000u);
  }
  pair.client.engine.Feed(base::AsBytes(bytes));
  pair.client.Run();
  EXPECT_EQ(pair.client.received, big) << pair.client.error;
}

TEST_P(EngineCloseTest, AnIdleConnectionDropsItsBuffersAndComesBack) {
  for (size_t step : {SIZE_MAX, size_t{1}}) {
    Pair pair(server_, client_);
    Carry(pair.client, pair.server);
    EXPECT_GT(pair.server.engine.buffer_bytes(), 32'000u);
    for (int round = 0; round < 3; ++round) {
      pair.server.engine.Hibernate();
      pair.client.engine.Hibernate();
      EXPECT_LT(pair.server.engine.buffer_bytes(), 1000u) << round;
      EXPECT_LT(pair.client.engine.buffer_bytes(), 1000u);
      pair.server.Run();
      EXPECT_LT(pair.server.engine.buffer_bytes(), 1000u) << "nothing came";
      Send(pair.client, "a");
      Carry(pair.client, pair.server, step);
      pair.client.engine.Hibernate();
      Send(pair.server, "b");
      Carry(pair.client, pair.server, step);
      if (GetParam() == Version::kTls13) {
        pair.server.engine.Hibernate();
        ASSERT_TRUE(pair.server.engine.UpdateKeys(true).ok());
      } else {
        pair.client.engine.Hibernate();
        pair.server.engine.Hibernate();
        ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
      }
      Carry(pair.client, pair.server, step);
    }
    EXPECT_EQ(pair.server.received, "aaa") << pair.server.error;
    EXPECT_EQ(pair.client.received, "bbb") << pair.client.error;
    pair.client.engine.Hibernate();
    pair.client.engine.Close();
    Carry(pair.client, pair.server, step);
    EXPECT_TRUE(pair.server.is_closed);
  }
}

TEST_P(EngineCloseTest, ARecordThatIsHalfThereIsKeptFromHibernation) {
  Pair pair(server_, client_);
  Carry(pair.client, pair.server);
  Send(pair.client, "in two halves");
  const base::Slice bytes = pair.client.engine.TakeOutput().ToSlice();
  pair.server.engine.Feed(bytes.Sub(0, 9));
  pair.server.Run();
  pair.server.engine.Hibernate();
  EXPECT_GT(pair.server.engine.buffer_bytes(), 32'000u);
  pair.server.engine.Feed(bytes.Sub(9));
  pair.server.Run();
  EXPECT_EQ(pair.server.received, "in two halves") << pair.server.error;
}

}  // namespace
}  // namespace noded::tls
