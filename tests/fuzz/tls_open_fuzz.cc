// The TLS engine on an open connection, from a script: what a peer with the right keys may say
// (messages and alerts of any content, sealed or not), and what a user may do meanwhile. No crash,
// no endless loop, errors that stay, bounded output, and data that arrives as it was sent.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/byte_reader.h"
#include "tls/engine.h"
#include "tls/issue.h"
#include "tls/raw_peer.h"

namespace {

using noded::base::ByteReader;
using noded::base::ByteView;
using namespace noded::tls;

void Require(bool claim) {
  if (!claim) std::abort();
}

struct Setting {
  RawPeer::Pem pem;
  std::shared_ptr<const Context> server, client;
};

Setting MakeSetting() {
  const Validity year = ValidFor(
      std::chrono::days(365),
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now()));
  auto authority = IssueAuthority({.common_name = "fuzz CA", .validity = year});
  Require(authority.ok());
  CertificateRequest request{.common_name = "b.example", .validity = year};
  AddHost(request, "b.example");
  auto node = IssueNode(*authority, request);
  Require(node.ok());
  Setting setting;
  setting.pem = {node->cert_pem, std::string(node->key_pem.view())};
  for (Role role : {Role::kServer, Role::kClient}) {
    Options options;
    options.identity.certs = {noded::base::Slice::Copy(node->cert_pem)};
    options.identity.key = node->key_pem;
    options.trust.cacerts = {noded::base::Slice::Copy(authority->cert_pem)};
    options.trust.verify = Verify::kPeer;
    // Each run is to be the first.
    options.sessions.reuse_sessions = false;
    options.traffic.key_update_at = 64 * 1024;
    options.traffic.renegotiate_at = 16;
    auto context = Context::Create(options, role);
    Require(context.ok());
    (role == Role::kServer ? setting.server : setting.client) = *std::move(context);
  }
  return setting;
}

class Script {
 public:
  Script(const Setting& setting, Role role, Version version)
      : engine_(role == Role::kServer ? setting.server : setting.client,
                EngineOptions{"b.example", noded::base::Limits()}),
        peer_(role == Role::kServer ? Role::kClient : Role::kServer, version, setting.pem),
        version_(version) {
    bool is_done = false;
    for (int i = 0; i < 20 && !(is_done && engine_.is_handshake_done()); ++i) {
      Drain();
      peer_.Feed(engine_.TakeOutput().ToSlice());
      is_done = peer_.Shake();
      engine_.Feed(ByteView(peer_.TakeOutput()));
    }
    Drain();
    Require(is_done && engine_.is_handshake_done() && !has_failed_);
  }

  void Run(ByteReader in) {
    while (in.remaining() > 0) {
      Step(in);
      Drain();
      Require(engine_.buffer_bytes() < 4 * 1024 * 1024);
    }
    engine_.FeedEnd();
    Drain();
    if (has_failed_) Require(!engine_.Next().ok());
    if (is_honest_) Require(sent_.starts_with(received_));
  }

 private:
  void Step(ByteReader& in) {
    const uint8_t choice = in.U8();
    switch (choice & 7) {
      case 0:
      case 1: {  // sealed; of the types that exist, mostly
        constexpr uint8_t kTypes[] = {22, 21, 23, 20, 22, 23, 24, 99};
        const uint8_t type = kTypes[(choice >> 3) & 7];
        const ByteView content = in.Bytes(in.U8());
        peer_.SendRecord(type, content);
        if (type == 23) sent_.append(content.begin(), content.end());
        if (version_ == Version::kTls13 && type == 22 && (choice & 0x40) != 0) {
          peer_.NextKey(NODED_SSL_OUTGOING);
        }
        engine_.Feed(ByteView(peer_.TakeOutput()));
        break;
      }
      case 2:  // not sealed
        is_honest_ = false;
        engine_.Feed(in.Bytes(in.U8()));
        break;
      case 3: {
        noded::base::Buffer text;
        text.Append(std::string(in.U8() * 100, 'x'));
        (void)engine_.Write(std::move(text));
        break;
      }
      case 4:
        (void)engine_.UpdateKeys((choice & 8) != 0);
        break;
      case 5:
        (void)engine_.Renegotiate();
        break;
      case 6:
        if ((choice & 8) != 0) engine_.Close();
        engine_.Hibernate();
        break;
      case 7:
        (void)engine_.TakeOutput();
        break;
    }
  }

  void Drain() {
    while (!has_failed_) {
      auto event = engine_.Next();
      has_failed_ = !event.ok();
      if (has_failed_ || !*event) return;
      if (auto* data = std::get_if<Data>(&**event)) received_ += data->bytes.text();
    }
  }

  Engine engine_;
  RawPeer peer_;
  const Version version_;
  bool has_failed_ = false;
  bool is_honest_ = true;
  std::string sent_;
  std::string received_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Setting setting = MakeSetting();
  if (size == 0) return 0;
  Script script(setting, (data[0] & 1) != 0 ? Role::kClient : Role::kServer,
                (data[0] & 2) != 0 ? Version::kTls13 : Version::kTls12);
  script.Run(ByteReader(ByteView(data + 1, size - 1)));
  return 0;
}
