// Peers that break TLS itself, with records made by hand: the engine says the right alert, ends in
// an error that stays, holds no more memory than it should, and never crashes. A peer that is only
// slow or cuts its bytes oddly loses nothing.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/status.h"
#include "tests/testlib/test_certs.h"
#include "tls/alert.h"
#include "tls/engine.h"
#include "tls/raw_peer.h"

namespace noded::fault {
namespace {

using base::ByteView;
using base::ReasonOf;
using tls::Alert;
using tls::RawPeer;
using tls::Role;
using tls::Version;
using Bytes = std::vector<uint8_t>;

constexpr uint8_t kAlert = 21, kHandshake = 22, kData = 23;
constexpr uint8_t kWarning = 1, kFatal = 2;
constexpr size_t kRecordHead = 5;
constexpr char kHost[] = "b.example";
// What one connection may hold: two record buffers and what waits to be read.
constexpr size_t kMemory = 256 * 1024;

Bytes Join(std::initializer_list<ByteView> parts) {
  Bytes all;
  for (ByteView part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// A record in the clear.
Bytes Record(uint8_t type, ByteView content, uint16_t version = 0x0303) {
  base::ByteWriter out;
  out.U8(type);
  out.U16(version);
  out.U16(static_cast<uint16_t>(content.size()));
  out.Bytes(content);
  return base::ToVector(out.Take().ToSlice());
}

Bytes AlertRecord(uint8_t level, Alert alert) {
  return Record(kAlert, Bytes{level, static_cast<uint8_t>(alert)});
}

// The head of a handshake message that says it is `size` bytes long.
Bytes MessageHead(uint8_t type, uint32_t size) {
  return {type, static_cast<uint8_t>(size >> 16), static_cast<uint8_t>(size >> 8),
          static_cast<uint8_t>(size)};
}

// A ClientHello without extensions: as clients of TLS 1.1 and before say it.
Bytes OldHello(uint16_t version) {
  base::ByteWriter body;
  body.U16(version);
  body.Bytes(Bytes(32, 0x5a));
  body.U8(0);
  body.U16(4);
  body.U16(0xc013);
  body.U16(0x002f);
  body.U8(1);
  body.U8(0);
  const base::Slice bytes = body.Take().ToSlice();
  return Join({MessageHead(1, static_cast<uint32_t>(bytes.size())), bytes});
}

// The engine under test, and all that came of it.
class Victim {
 public:
  explicit Victim(std::shared_ptr<const tls::Context> context)
      : engine(std::move(context), tls::EngineOptions{kHost, {}, nullptr}) {}

  void Feed(ByteView bytes) {
    engine.Feed(bytes);
    Run();
  }
  void End() {
    engine.FeedEnd();
    Run();
  }
  void Run() {
    while (error.ok()) {
      auto event = engine.Next();
      if (!event.ok()) {
        error = event.status();
        EXPECT_EQ(engine.Next().status(), error) << "an error stays";
        return;
      }
      if (!*event) return;
      is_done |= std::holds_alternative<tls::HandshakeDone>(**event);
      is_closed |= std::holds_alternative<tls::PeerClosed>(**event);
      if (auto* data = std::get_if<tls::Data>(&**event)) received += data->bytes.text();
    }
  }
  Bytes Take() { return base::ToVector(engine.TakeOutput().ToSlice()); }

  // Its last words, in the clear; none: it said something else.
  std::optional<Alert> LastAlert() {
    const Bytes said = Take();
    if (said.size() < kRecordHead + 2) return std::nullopt;
    base::ByteReader in(ByteView(said).last(kRecordHead + 2));
    const bool is_alert = in.U8() == kAlert && in.U8() == 3;
    in.Skip(1);
    if (!is_alert || in.U16() != 2 || in.U8() != kFatal) return std::nullopt;
    return static_cast<Alert>(in.U8());
  }

  tls::Engine engine;
  bool is_done = false, is_closed = false;
  std::string received;
  absl::Status error;
};

// A whole handshake; false when it did not come about.
bool Meet(RawPeer& peer, Victim& server) {
  for (int i = 0; i < 10 && !(peer.Shake() && server.is_done); ++i) {
    server.Feed(peer.TakeOutput());
    peer.Feed(server.Take());
  }
  return server.is_done;
}

class TlsHostileTest : public testing::TestWithParam<Version> {
 protected:
  tls::Options Own(bool has_both = false) const {
    tls::Options options;
    options.identity.certfile = files_.cert;
    options.identity.keyfile = files_.key;
    options.trust.cacertfile = certs_.ca();
    options.versions.tls12 = has_both || GetParam() == Version::kTls12;
    options.versions.tls13 = has_both || GetParam() == Version::kTls13;
    return options;
  }
  static std::shared_ptr<const tls::Context> Make(const tls::Options& options, Role role) {
    auto context = tls::Context::Create(options, role);
    EXPECT_TRUE(context.ok()) << context.status();
    return context.ok() ? *std::move(context) : nullptr;
  }
  RawPeer::Pem Pem() const {
    return {testlib::ReadFile(files_.cert), testlib::ReadFile(files_.key)};
  }

  testlib::TestCerts certs_;
  testlib::CertFiles files_ = certs_.Node("b@b.example");
  std::shared_ptr<const tls::Context> server_ = Make(Own(), Role::kServer);
  std::shared_ptr<const tls::Context> client_ = Make(Own(), Role::kClient);
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsHostileTest,
                         testing::Values(Version::kTls12, Version::kTls13), [](const auto& info) {
                           return info.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

// Both ways, each flight cut by `cut`, until neither says more.
using Cut = std::function<void(Victim&, const Bytes&)>;
void Carry(Victim& a, Victim& b, const Cut& cut) {
  bool moved = true;
  while (moved) {
    moved = false;
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      from->Run();
      const Bytes bytes = from->Take();
      if (!bytes.empty()) cut(*to, bytes);
      moved |= !bytes.empty();
    }
  }
}

void Whole(Victim& to, const Bytes& bytes) { to.Feed(bytes); }

void Say(Victim& side, std::string_view text) {
  base::Buffer buffer;
  buffer.Append(text);
  ASSERT_TRUE(side.engine.Write(std::move(buffer)).ok());
}

TEST_P(TlsHostileTest, FlightsCutAtAnyByteAreTheSameFlights) {
  // Until the cut is beyond the longest flight.
  bool is_beyond = false;
  for (size_t at = 1; !is_beyond; at += at < 300 ? 1 : 37) {
    is_beyond = true;
    Victim client(client_), server(server_);
    Carry(client, server, [&](Victim& to, const Bytes& bytes) {
      const size_t first = std::min(at, bytes.size());
      is_beyond &= first == bytes.size();
      to.Feed(ByteView(bytes).first(first));
      if (first < bytes.size()) to.Feed(ByteView(bytes).subspan(first));
    });
    ASSERT_TRUE(client.is_done && server.is_done) << at << client.error << server.error;
  }
}

TEST_P(TlsHostileTest, RecordsCutAtEveryByteLoseNothing) {
  Victim client(client_), server(server_);
  Carry(client, server, Whole);
  std::string all;
  Say(client, "one record");
  const size_t length = client.Take().size();
  Victim fresh_client(client_), fresh_server(server_);
  Carry(fresh_client, fresh_server, Whole);
  for (size_t at = 0; at <= length; ++at) {
    Say(fresh_client, "one record");
    all += "one record";
    const Bytes record = fresh_client.Take();
    ASSERT_EQ(record.size(), length);
    fresh_server.Feed(ByteView(record).first(at));
    fresh_server.Feed(ByteView(record).subspan(at));
    ASSERT_EQ(fresh_server.received, all) << at << fresh_server.error;
  }
}

TEST_P(TlsHostileTest, APeerThatSendsOneByteAtATimeIsServed) {
  const Cut drip = [](Victim& to, const Bytes& bytes) {
    for (uint8_t byte : bytes) to.Feed(ByteView(&byte, 1));
  };
  Victim client(client_), server(server_);
  Carry(client, server, drip);
  ASSERT_TRUE(client.is_done && server.is_done) << client.error << server.error;
  Say(client, "hello");
  Say(server, "good day");
  client.engine.Close();
  server.engine.Close();
  Carry(client, server, drip);
  EXPECT_EQ(server.received, "hello");
  EXPECT_EQ(client.received, "good day");
  EXPECT_TRUE(client.is_closed && server.is_closed);
}

TEST_P(TlsHostileTest, AStreamThatEndsAtAnyByteOfAHandshakeIsAnError) {
  Victim client(client_);
  client.Run();
  const Bytes hello = client.Take();
  for (size_t at = 0; at < hello.size(); ++at) {
    Victim server(server_);
    server.Feed(ByteView(hello).first(at));
    EXPECT_TRUE(server.error.ok()) << at << server.error;
    server.End();
    EXPECT_EQ(server.error.code(), absl::StatusCode::kUnavailable) << at << server.error;
    EXPECT_FALSE(server.is_done);
  }
  Victim server(server_);
  server.Feed(hello);
  const Bytes flight = server.Take();
  for (size_t at = 0; at < flight.size(); at += 7) {
    Victim other(client_);
    other.Run();
    other.End();
    EXPECT_FALSE(other.error.ok());
  }
}

TEST_P(TlsHostileTest, AStreamThatEndsWithoutGoodbyeIsTold) {
  Victim client(client_), server(server_);
  Carry(client, server, Whole);
  Say(client, "half of thi");
  const Bytes record = client.Take();
  server.Feed(ByteView(record).first(record.size() - 1));
  server.End();
  EXPECT_EQ(server.error.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server.received, "");
  EXPECT_FALSE(server.is_closed);
}

TEST_P(TlsHostileTest, AMessageInManyRecordsIsOneMessage) {
  Victim client(client_), server(server_);
  client.Run();
  const Bytes hello = client.Take();
  const ByteView message = ByteView(hello).subspan(kRecordHead);
  for (uint8_t byte : message) server.Feed(Record(kHandshake, ByteView(&byte, 1)));
  Carry(server, client, Whole);
  EXPECT_TRUE(server.is_done && client.is_done) << server.error << client.error;
}

TEST_P(TlsHostileTest, RecordsOfAHandshakeThatHoldNothingAreRefused) {
  Victim server(server_);
  for (int i = 0; i < 1000 && server.error.ok(); ++i) server.Feed(Record(kHandshake, {}));
  EXPECT_EQ(server.error.code(), absl::StatusCode::kDataLoss) << server.error;
  EXPECT_EQ(server.LastAlert(), Alert::kUnexpectedMessage);
}

TEST_P(TlsHostileTest, RecordsWithoutDataAreTakenButNotForEver) {
  Victim server(server_);
  RawPeer peer(Role::kClient, GetParam(), Pem());
  ASSERT_TRUE(Meet(peer, server)) << server.error;
  for (int i = 0; i < 20; ++i) peer.SendRecord(kData, {});
  peer.SendRecord(kData, base::AsBytes("still here"));
  server.Feed(peer.TakeOutput());
  EXPECT_EQ(server.received, "still here") << server.error;
  for (int i = 0; i < 10000 && server.error.ok(); ++i) {
    peer.SendRecord(kData, {});
    server.Feed(peer.TakeOutput());
  }
  EXPECT_EQ(server.error.code(), absl::StatusCode::kResourceExhausted) << server.error;
}

TEST_P(TlsHostileTest, AMessageThatSaysItIsHugeTakesNoMemory) {
  for (uint32_t size : {0xffffffu, 0x100000u, 0x4001u}) {
    Victim server(server_);
    server.Feed(Record(kHandshake, MessageHead(1, size)));
    size_t fed = 0;
    for (; fed < 4 * 1024 * 1024 && server.error.ok(); fed += 16384) {
      server.Feed(Record(kHandshake, Bytes(16384, 0)));
      EXPECT_LE(server.engine.buffer_bytes(), kMemory);
    }
    EXPECT_FALSE(server.error.ok()) << size;
    EXPECT_LE(fed, 512u * 1024);
    EXPECT_TRUE(server.LastAlert()) << size << server.error;
  }
}

TEST_P(TlsHostileTest, ARecordThatSaysItIsTooLongIsRefusedAtItsHead) {
  for (uint16_t length : {0x4801, 0xffff}) {
    for (Role role : {Role::kServer, Role::kClient}) {
      Victim victim(role == Role::kServer ? server_ : client_);
      victim.Run();
      victim.Take();
      victim.Feed(
          Bytes{kHandshake, 3, 3, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)});
      EXPECT_EQ(victim.error.code(), absl::StatusCode::kDataLoss) << victim.error;
      EXPECT_EQ(victim.LastAlert(), Alert::kRecordOverflow) << length;
    }
  }
}

TEST_P(TlsHostileTest, WarningsBeforeAHandshakeAreNoWayToStay) {
  for (Alert alert : {Alert::kNoRenegotiation, Alert::kUserCanceled, Alert::kUnrecognizedName}) {
    for (Role role : {Role::kServer, Role::kClient}) {
      Victim victim(role == Role::kServer ? server_ : client_);
      victim.Run();
      size_t fed = 0;
      for (; fed < 2 * 1024 * 1024 && victim.error.ok(); fed += kRecordHead + 2) {
        victim.Feed(AlertRecord(kWarning, alert));
      }
      EXPECT_FALSE(victim.error.ok());
      EXPECT_LE(fed, 512u * 1024);
      EXPECT_LE(victim.engine.buffer_bytes(), kMemory);
    }
  }
}

TEST_P(TlsHostileTest, WarningsOnAnOpenConnectionAreNoWayToStay) {
  Victim server(server_);
  RawPeer peer(Role::kClient, GetParam(), Pem());
  ASSERT_TRUE(Meet(peer, server)) << server.error;
  int sent = 0;
  for (; sent < 10000 && server.error.ok(); ++sent) {
    peer.SendRecord(kAlert, Bytes{kWarning, static_cast<uint8_t>(Alert::kUserCanceled)});
    server.Feed(peer.TakeOutput());
  }
  EXPECT_FALSE(server.error.ok());
  EXPECT_LE(sent, 100);
}

TEST_P(TlsHostileTest, AFatalAlertEndsAHandshakeWithItsReason) {
  for (Role role : {Role::kServer, Role::kClient}) {
    Victim victim(role == Role::kServer ? server_ : client_);
    victim.Run();
    victim.Take();
    victim.Feed(AlertRecord(kFatal, Alert::kHandshakeFailure));
    EXPECT_EQ(ReasonOf(victim.error), "handshake_failure") << victim.error;
    EXPECT_TRUE(victim.Take().empty()) << "an alert is not answered";
  }
}

TEST_P(TlsHostileTest, KeyUpdatesAndRenegotiationsAreBounded) {
  Victim server(server_);
  RawPeer peer(Role::kClient, GetParam(), Pem());
  ASSERT_TRUE(Meet(peer, server)) << server.error;
  server.Take();
  // The peer does not read what it causes.
  int sent = 0;
  for (; sent < 10000 && server.error.ok(); ++sent) {
    if (GetParam() == Version::kTls13) {
      peer.SendRecord(kHandshake, Bytes{24, 0, 0, 1, 1});
      peer.NextKey(NODED_SSL_OUTGOING);
    } else {
      peer.SendRecord(kHandshake, OldHello(0x0303));
    }
    server.Feed(peer.TakeOutput());
    ASSERT_LE(server.engine.buffer_bytes(), kMemory) << sent;
  }
  EXPECT_FALSE(server.error.ok());
  EXPECT_LE(sent, 200);
}

TEST_P(TlsHostileTest, WhoSpeaksSomethingElseIsToldSo) {
  const std::string_view words[] = {
      "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n",
      "EHLO b.example\r\n",
      // A hello of SSL 2: length, CLIENT-HELLO, version 0.2.
      std::string_view("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80", 14),
      // The same hello, for a peer that may have SSL 3 too.
      std::string_view("\x80\x2e\x01\x03\x00\x00\x15\x00\x00\x00\x10\x01\x00\x80", 14),
      std::string_view("\x00\x00\x00\x00\x00\x00\x00\x00", 8),
  };
  for (std::string_view text : words) {
    for (bool is_slow : {false, true}) {
      Victim server(server_);
      for (size_t at = 0; at < text.size(); at += is_slow ? 1 : text.size()) {
        server.Feed(base::AsBytes(text.substr(at, is_slow ? 1 : text.size())));
      }
      server.End();
      EXPECT_EQ(server.error.code(), absl::StatusCode::kDataLoss) << text << server.error;
      EXPECT_EQ(server.LastAlert(), Alert::kUnexpectedMessage) << text;
    }
    Victim client(client_);
    client.Run();
    client.Take();
    client.Feed(base::AsBytes(text));
    EXPECT_EQ(client.error.code(), absl::StatusCode::kDataLoss) << text << client.error;
  }
}

TEST_P(TlsHostileTest, ClientsWithOldVersionsAloneAreToldTheVersion) {
  for (const auto& context : {server_, Make(Own(/*has_both=*/true), Role::kServer)}) {
    for (uint16_t version : {0x0300, 0x0301, 0x0302}) {
      Victim server(context);
      server.Feed(Record(kHandshake, OldHello(version), 0x0301));
      EXPECT_EQ(ReasonOf(server.error), "protocol_version") << server.error;
      EXPECT_EQ(server.LastAlert(), Alert::kProtocolVersion) << version;
    }
  }
}

TEST_P(TlsHostileTest, RecordsOfOtherTypesAreRefused) {
  for (uint8_t type : {0, 19, 23, 24, 99, 255}) {
    for (Role role : {Role::kServer, Role::kClient}) {
      Victim victim(role == Role::kServer ? server_ : client_);
      victim.Run();
      victim.Take();
      victim.Feed(Record(type, Bytes(64, 7)));
      EXPECT_EQ(victim.error.code(), absl::StatusCode::kDataLoss) << int{type} << victim.error;
      EXPECT_EQ(victim.LastAlert(), Alert::kUnexpectedMessage) << int{type};
    }
  }
}

TEST_P(TlsHostileTest, ARecordThatWasTouchedOnItsWayIsRefused) {
  Victim client(client_), server(server_);
  Carry(client, server, Whole);
  Say(client, "precious");
  Bytes record = client.Take();
  record.back() ^= 1;
  server.Feed(record);
  EXPECT_EQ(ReasonOf(server.error), "bad_record_mac") << server.error;
  EXPECT_EQ(server.received, "");
  client.Feed(server.Take());
  EXPECT_EQ(ReasonOf(client.error), "bad_record_mac") << "the peer hears why";
}

}  // namespace
}  // namespace noded::fault
